// The only requests this extension ever makes at Vinted, whatever it is asked. The same list is
// `x-allowed-requests` of docs/extension-protocol.yaml; a test holds them to each other.

export const ALLOWED_REQUESTS = [
  'GET /api/v2/users/current',
  'GET /api/v2/wardrobe/{id}/items',

  'POST /api/v2/photos',
  'POST /api/v2/item_upload/drafts',
  'POST /api/v2/item_upload/drafts/{id}/completion',
  'GET /api/v2/item_upload/items/{id}',
  'PUT /api/v2/item_upload/items/{id}',
  'POST /api/v2/items/{id}/delete',

  'GET /api/v2/my_orders',
  'GET /api/v2/conversations/{id}',
  'POST /api/v2/conversations/{id}/replies',
  'GET /api/v2/transactions/{id}',
];

const PATTERNS = ALLOWED_REQUESTS.map((each) => {
  const [method, path] = each.split(' ');
  return { method, path: new RegExp(`^${path.replaceAll('{id}', '\\d{1,20}')}$`) };
});

export function isAllowed(method, path) {
  return PATTERNS.some((each) => each.method === method && each.path.test(path));
}
