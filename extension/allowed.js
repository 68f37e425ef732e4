// The only requests this extension ever makes at Vinted, whatever it is asked. The same list is
// `x-allowed-requests` of docs/extension-protocol.yaml; a test holds them to each other.

export const ALLOWED_REQUESTS = [
  'GET /api/v2/users/current',
  'GET /api/v2/wardrobe/{id}/items',

  'GET /api/v2/item_upload/catalogs',
  'GET /api/v2/item_upload/colors',
  'GET /api/v2/item_upload/brands',
  'GET /api/v2/item_upload/size_groups',
  'GET /api/v2/item_upload/conditions',
  'POST /api/v2/item_upload/attributes',
  'GET /api/v2/catalogs/{id}/package_sizes',

  'POST /api/v2/photos',
  'POST /api/v2/item_upload/drafts',
  'POST /api/v2/item_upload/drafts/{id}/completion',
  'DELETE /api/v2/item_upload/drafts/{id}',
  'GET /api/v2/item_upload/items/{id}',
  'PUT /api/v2/item_upload/items/{id}',
  'POST /api/v2/items/{id}/delete',
  'PUT /api/v2/items/{id}/is_hidden',

  'GET /api/v2/my_orders',
  'GET /api/v2/inbox',
  'GET /api/v2/conversations/{id}',
  'POST /api/v2/conversations/{id}/replies',
  'PUT /api/v2/conversations/{id}/mark_as_read',
  'GET /api/v2/transactions/{id}',
  'GET /api/v2/shipments/{id}',
  'GET /api/v2/shipments/{id}/label_url',
];

const PATTERNS = ALLOWED_REQUESTS.map((each) => {
  const [method, path] = each.split(' ');
  return { method, path: new RegExp(`^${path.replaceAll('{id}', '\\d{1,20}')}$`) };
});

export function isAllowed(method, path) {
  return PATTERNS.some((each) => each.method === method && each.path.test(path));
}
