import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';

import { Socket, Unanswered } from '../socket.js';
import { FakeWebSocket, settled } from './fakes.js';

let told;
let socket;

function make(options = {}) {
  socket = new Socket({
    url: 'https://stoflow.test',
    auth: async () => ({ token: 't' }),
    random: () => 0.5,
    WebSocket: FakeWebSocket,
    connected: () => told.push('connected'),
    disconnected: () => told.push('disconnected'),
    ...options,
  });
  socket.connect();
  return FakeWebSocket.last;
}

beforeEach(() => {
  told = [];
  FakeWebSocket.all = [];
  mock.timers.enable({ apis: ['setTimeout'] });
});

afterEach(() => {
  socket.disconnect();
  mock.timers.reset();
});

test('it shakes hands over WebSocket and says who it is', async () => {
  const line = make();
  assert.equal(line.url, 'wss://stoflow.test/socket.io/?EIO=4&transport=websocket');
  await line.opens();
  assert.deepEqual(line.sent, ['40{"token":"t"}']);
  assert.deepEqual(told, ['connected']);
  assert.equal(socket.maxPayload, 100_000);
});

test('a ping is answered', async () => {
  const line = make();
  await line.opens();
  await line.says('2');
  assert.equal(line.sent.at(-1), '3');
});

test('an event resolves with its own acknowledgement', async () => {
  const line = make();
  await line.opens();
  const first = socket.emit('job_result', { a: 1 });
  const second = socket.emit('job_result', { a: 2 });
  assert.deepEqual(line.sent.slice(1), ['420["job_result",{"a":1}]', '421["job_result",{"a":2}]']);
  await line.says('431[{"stored":true}]');
  await line.says('430[{"stored":false}]');
  assert.deepEqual([await first, await second], [{ stored: false }, { stored: true }]);
});

test('an event is acknowledged with what its listener answers', async () => {
  const line = make({ on: { execute_job: async (data) => ({ taken: data.n }) } });
  await line.opens();
  await line.says('4217["execute_job",{"n":3}]');
  assert.equal(line.sent.at(-1), '4317[{"taken":3}]');
});

test('an event that comes before the connect is heard once there is one', async () => {
  let answer;
  const line = make({ on: { ready: async () => { answer = socket.emit('hello', {}); } } });
  await line.says('0{"pingInterval":25000,"pingTimeout":20000}');
  await line.says('42["ready",{}]');
  assert.equal(answer, undefined);
  await line.says('40{"sid":"y"}');
  await line.says('430["there"]');
  assert.equal(await answer, 'there');
});

test('an event that nobody listens to is passed over', async () => {
  const line = make();
  await line.opens();
  await line.says('42["job_status_update",{}]');
  assert.equal(line.sent.length, 1);
});

test('a broken line rejects what was not acknowledged', async () => {
  const line = make();
  await line.opens();
  const waiting = socket.emit('job_result', {});
  line.onclose();
  await assert.rejects(waiting, Unanswered);
  assert.deepEqual(told, ['connected', 'disconnected']);
});

test('without a connection an event is rejected at once', async () => {
  make();
  await assert.rejects(socket.emit('job_result', {}), Unanswered);
});

test('an acknowledgement is not waited for longer than 20 seconds', async () => {
  const line = make();
  await line.opens();
  const waiting = socket.emit('job_result', {});
  mock.timers.tick(20_001);
  await assert.rejects(waiting, Unanswered);
});

test('it comes back, more and more slowly, up to half a minute', async () => {
  make();
  for (const delay of [750, 1_500, 3_000, 6_000, 12_000, 22_500, 22_500]) {
    const count = FakeWebSocket.all.length;
    FakeWebSocket.last.onclose();
    mock.timers.tick(delay - 1);
    assert.equal(FakeWebSocket.all.length, count);
    mock.timers.tick(1);
    assert.equal(FakeWebSocket.all.length, count + 1);
  }
  await FakeWebSocket.last.opens();
  FakeWebSocket.last.onclose();
  mock.timers.tick(750);
  assert.equal(FakeWebSocket.all.length, 9);
});

test('delays differ from browser to browser', () => {
  make({ random: () => 0.9 });
  assert.equal(socket.delay(), 950);
});

test('a line without a sign of life is given up', async () => {
  const line = make();
  await line.opens();
  mock.timers.tick(44_999);
  await line.says('2');
  mock.timers.tick(44_999);
  assert.equal(line.closed, undefined);
  mock.timers.tick(2);
  assert.equal(line.closed, true);
});

test('why a connect was refused is told, and it tries again', async () => {
  const problems = [];
  const line = make({ refused: (problem) => { problems.push(problem); } });
  await line.says('0{"pingInterval":1,"pingTimeout":1}');
  await line.says('44{"message":"Please sign in","data":{"code":"unauthenticated"}}');
  assert.deepEqual(problems, [{ message: 'Please sign in', data: { code: 'unauthenticated' } }]);
  mock.timers.tick(750);
  assert.equal(FakeWebSocket.all.length, 2);
});

test('whoever is told may end the attempts', async () => {
  const line = make({ refused: () => false });
  await line.says('0{"pingInterval":1,"pingTimeout":1}');
  await line.says('44{"message":"No"}');
  mock.timers.tick(60_000);
  assert.equal(FakeWebSocket.all.length, 1);
});

test('when there is nothing to say hello with, it tries again later', async () => {
  const line = make({ auth: async () => { throw new Error('offline'); } });
  await line.opens();
  assert.equal(line.closed, true);
  mock.timers.tick(750);
  await settled();
  assert.equal(FakeWebSocket.all.length, 2);
});

test('connecting twice opens one line', () => {
  make();
  socket.connect();
  assert.equal(FakeWebSocket.all.length, 1);
});

test('whoever is to stay away for a while does, whoever asks for a connection', async () => {
  const line = make();
  await line.opens();
  socket.reconnect(300_000);
  mock.timers.tick(299_999);
  socket.connect();
  assert.equal(FakeWebSocket.all.length, 1);
  mock.timers.tick(1);
  assert.equal(FakeWebSocket.all.length, 2);
});

test('a new token is brought at once, though it was to wait', async () => {
  const line = make();
  await line.opens();
  line.onclose();
  socket.reconnect(0);
  mock.timers.tick(60_000);
  assert.equal(FakeWebSocket.all.length, 2);
});

test('what an old line still says is not listened to', async () => {
  const old = make();
  await old.opens();
  socket.reconnect(0);
  mock.timers.tick(0);
  await old.says('430["late"]');
  assert.equal(FakeWebSocket.all.length, 2);
  assert.deepEqual(FakeWebSocket.last.sent, []);
});
