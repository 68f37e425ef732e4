// A client for Socket.IO 5 on Engine.IO 4, over WebSocket, namespace "/": as much of both as the
// bridge needs. Packets are text: one digit of Engine.IO (0 open, 1 close, 2 ping, 3 pong,
// 4 message); a message then has one of Socket.IO (0 connect, 1 disconnect, 2 event, 3 ack,
// 4 connect error), for events and acks a number, and JSON.

const FIRST_DELAY = 1_000;
const LONGEST_DELAY = 30_000;
const OPENING = 20_000;
const ACK = 20_000;

/** The line broke, or no acknowledgement came in time: whether it arrived is not known. */
export class Unanswered extends Error {}

export class Socket {
  /**
   * @param options.url     the server's origin, https or http
   * @param options.auth    async, gives the auth of each connect
   * @param options.on      {event: (data) => answer}; answers (or promises of them) acknowledge
   * @param options.connected, disconnected   told of the line; disconnected(error | null)
   * @param options.refused   told of a CONNECT_ERROR: (data); false ends the attempts
   * @param options.random, WebSocket   replaced by tests
   */
  constructor(options) {
    this.options = { random: Math.random, on: {}, ...options };
    this.options.WebSocket ??= globalThis.WebSocket;
    this.attempts = 0;
    this.wanted = false;
    this.retry = null;
    this.reset();
  }

  reset() {
    this.line = null;
    this.open = false;
    this.early = [];
    this.maxPayload = Infinity;
    this.waiting = new Map();
    this.nextId = 0;
  }

  /** Be connected from now on; harmless when it is, or is about to be, be it in five minutes. */
  connect() {
    this.wanted = true;
    if (!this.line && !this.retry) this.dial();
  }

  dial() {
    this.giveUpRetry();
    const url = `${this.options.url.replace(/^http/, 'ws')}/socket.io/?EIO=4&transport=websocket`;
    const line = new this.options.WebSocket(url);
    this.line = line;
    line.onmessage = (message) => this.line === line && this.received(String(message.data));
    line.onclose = () => this.line === line && this.lost();
    line.onerror = () => {};
    this.expect(OPENING);
  }

  /** Be disconnected, and stay so. */
  disconnect() {
    this.wanted = false;
    this.giveUpRetry();
    if (this.open) this.send('41');
    if (this.line) this.lost();
  }

  giveUpRetry() {
    clearTimeout(this.retry);
    this.retry = null;
  }

  /** Break this line and try another, after `delay` milliseconds when it is given. */
  reconnect(delay) {
    if (this.line) this.lost(delay);
    else if (this.wanted) this.dial();
  }

  /** Send an event; resolves with its acknowledgement, rejects with Unanswered. */
  emit(event, data) {
    const packet = `42${this.nextId}${JSON.stringify([event, data])}`;
    return new Promise((resolve, reject) => {
      if (!this.open) {
        reject(new Unanswered('There is no connection.'));
        return;
      }
      const id = this.nextId++;
      const timer = setTimeout(() => {
        this.waiting.delete(id);
        reject(new Unanswered('StoFlow did not answer in time.'));
      }, ACK);
      this.waiting.set(id, { resolve, reject, timer });
      this.send(packet);
    });
  }

  send(packet) {
    this.line?.send(packet);
  }

  received(packet) {
    const content = packet.slice(1);
    if (packet[0] === '0') this.opened(JSON.parse(content));
    else if (packet[0] === '1') this.lost();
    else if (packet[0] === '2') {
      this.send('3');
      this.expect(this.patience);
    } else if (packet[0] === '4') this.message(content[0], content.slice(1));
  }

  async opened({ pingInterval, pingTimeout, maxPayload }) {
    const line = this.line;
    this.patience = pingInterval + pingTimeout;
    this.maxPayload = maxPayload ?? Infinity;
    this.expect(this.patience);
    try {
      const auth = await this.options.auth();
      if (this.line === line) this.send(`40${JSON.stringify(auth)}`);
    } catch {
      if (this.line === line) this.lost();
    }
  }

  message(kind, content) {
    const [, id, json] = /^(\d*)(.*)$/s.exec(content);
    const data = json ? JSON.parse(json) : undefined;
    if (kind === '0') {
      this.open = true;
      this.attempts = 0;
      this.options.connected?.();
      this.early.splice(0).forEach((each) => this.event(...each));
    } else if (kind === '1') this.lost();
    else if (kind === '2' && !this.open) this.early.push([id, data]);
    else if (kind === '2') this.event(id, data);
    else if (kind === '3') this.acknowledged(Number(id), data[0]);
    else if (kind === '4' && this.options.refused?.(data) === false) this.disconnect();
    else if (kind === '4') this.lost();
  }

  /** One that arrives before the CONNECT packet waits for it: nothing could be answered. */
  async event(id, [name, data]) {
    const line = this.line;
    const answer = await this.options.on[name]?.(data);
    if (id && this.line === line) this.send(`43${id}${JSON.stringify([answer])}`);
  }

  acknowledged(id, answer) {
    const waiting = this.waiting.get(id);
    this.waiting.delete(id);
    clearTimeout(waiting?.timer);
    waiting?.resolve(answer);
  }

  /** Without a sign of life for so long, the line is dead. */
  expect(milliseconds) {
    clearTimeout(this.watchdog);
    this.watchdog = setTimeout(() => this.line && this.lost(), milliseconds);
  }

  lost(delay = this.delay()) {
    const { line, waiting, open } = this;
    clearTimeout(this.watchdog);
    this.reset();
    line.close();
    for (const each of waiting.values()) {
      clearTimeout(each.timer);
      each.reject(new Unanswered('The connection broke.'));
    }
    if (this.wanted) this.retry = setTimeout(() => this.dial(), delay);
    if (open) this.options.disconnected?.();
  }

  /** Twice as long each time, up to half a minute, and never the same for all. */
  delay() {
    const longest = Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** this.attempts++);
    return longest * (0.5 + this.options.random() / 2);
  }
}
