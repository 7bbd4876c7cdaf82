/**
 * `sms-smpp` seen from SMSCs: the bytes Net::SMPP reads, the receipts it writes, and how a broken link mends.
 */

import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Adapter } from '../src/index.ts';
import { attemptTo, until } from './contract.ts';
import { type Peer, peerAbsent, startPeer } from './peers/net-smpp.ts';
import { contextWith, createAdapter, recordingSink, smsSettings, startCarriers } from './stages.ts';

const absent = peerAbsent();
const to = (digits: string) => `+4915112345${digits}`;
const notice = (text: string) => ({ payload: { kind: 'notice' as const, text, url: 'https://inbox.example/m/1' } });

describe.skipIf(absent !== undefined)(`Net::SMPP reads and writes${absent === undefined ? '' : ` (${absent})`}`, () => {
  let peer: Peer;
  let adapter: Adapter;
  let sink: ReturnType<typeof recordingSink>;

  async function start(change: object = {}): Promise<void> {
    adapter = createAdapter('sms-smpp', smsSettings(peer.port, change), contextWith());
    await adapter.start(sink);
  }

  beforeEach(async () => {
    peer = await startPeer();
    sink = recordingSink();
  });
  afterEach(async () => {
    await adapter.stop();
    await peer.stop();
  });

  it('a short text as one GSM 03.38 message with data_coding 0', async () => {
    await start();
    await adapter.send(attemptTo(to('001'), notice('Open_me @ once')));
    const [message] = await until(() => (peer.taken().length === 1 ? peer.taken() : undefined), 'one message');
    expect(message).toMatchObject({ destination: '4915112345001', esmClass: 0, dataCoding: 0 });
    expect(message?.bytes.toString('hex')).toMatch(/^4f70656e116d65200020/);
  });

  it('a long text as parts with one header each, and only the last asks for a receipt', async () => {
    await start();
    await adapter.send(attemptTo(to('001'), notice('č'.repeat(150))));
    const parts = await until(() => (peer.taken().length === 3 ? peer.taken() : undefined), 'three parts');
    expect(
      parts.map(({ esmClass, dataCoding, bytes }) => [esmClass, dataCoding, bytes.subarray(4, 6).toString('hex')]),
    ).toEqual([
      [0x40, 8, '0301'],
      [0x40, 8, '0302'],
      [0x40, 8, '0303'],
    ]);
    await until(() => peer.lines.find((line) => line === 'ack 0'), 'the receipt');
    expect(sink.receipts).toHaveLength(1);
  });

  it('a long text as one message_payload where the settings say so', async () => {
    await start({ long_text: 'message_payload' });
    await adapter.send(attemptTo(to('001'), notice('a'.repeat(300))));
    const [message] = await until(() => (peer.taken().length === 1 ? peer.taken() : undefined), 'one message');
    expect([message?.esmClass, message?.bytes.length]).toEqual([0, 300 + 1 + 25]);
  });

  it('an id in hexadecimal and its receipt in decimal, which still match', async () => {
    await start();
    const outcome = await adapter.send(attemptTo(to('905')));
    const receipt = await until(() => sink.receipts[0], 'the receipt');
    expect(receipt.providerMessageIds).toContain(outcome.kind === 'accepted' ? outcome.providerMessageId : '');
  });

  it('a receipt by text alone, and one of failure', async () => {
    await start();
    await adapter.send(attemptTo(to('906')));
    expect((await until(() => sink.receipts[0], 'a receipt')).status).toBe('delivered');
    await adapter.send(attemptTo(to('907')));
    expect(await until(() => sink.receipts[1], 'a receipt')).toMatchObject({ status: 'failed', code: 'UNDELIV 000' });
  });

  it("a person's message, which is acknowledged and gives no receipt", async () => {
    await start();
    await adapter.send(attemptTo(to('908')));
    await until(() => (peer.lines.filter((line) => line === 'ack 0').length === 2 ? true : undefined), 'two answers');
    expect(sink.receipts).toHaveLength(1);
  });

  it('ESME_RX_T_APPN for a receipt that could not be stored', async () => {
    sink.fail(1);
    await start();
    await adapter.send(attemptTo(to('001')));
    await until(() => peer.lines.find((line) => line === 'ack 100'), 'a refusal');
    expect(sink.receipts).toEqual([]);
  });

  it('enquire_link while nothing else happens, and unbind at the end', async () => {
    await start({ enquire_link: '50ms' });
    await until(() => (peer.lines.filter((line) => line === 'enquired').length === 3 ? true : undefined), 'enquiries');
    await adapter.stop();
    await until(() => peer.lines.find((line) => line === 'unbound'), 'unbind');
    expect(peer.lines.filter((line) => line === 'bound')).toHaveLength(1);
  });
});

describe('a link that breaks', () => {
  let adapter: Adapter;
  afterEach(() => adapter.stop());

  it('is bound again after the SMSC was away, and receipts that waited arrive', async () => {
    const carriers = await startCarriers();
    const sink = recordingSink();
    adapter = createAdapter('sms-smpp', smsSettings(carriers.smscPort), contextWith());
    await adapter.start(sink);
    await carriers.call('PUT', '/phones/+4915112345678', { online: false });
    await adapter.send(attemptTo('+4915112345678'));
    await carriers.call('PUT', '/faults/smsc', { kind: 'refuse' });
    await until(
      async () => ((await adapter.send(attemptTo('+4915112345678'))).kind === 'retry-after' ? true : undefined),
      'away',
    );
    await carriers.call('PUT', '/phones/+4915112345678', { online: true });
    await carriers.call('DELETE', '/faults');
    await until(() => sink.receipts[0], 'the receipt that waited');
    await until(
      async () => ((await adapter.send(attemptTo('+4915112345678'))).kind === 'accepted' ? true : undefined),
      'accepted again',
    );
    await carriers.stop();
  });

  it('delivers a receipt again until it is stored', async () => {
    const carriers = await startCarriers();
    const sink = recordingSink();
    sink.fail(2);
    adapter = createAdapter('sms-smpp', smsSettings(carriers.smscPort), contextWith());
    await adapter.start(sink);
    await adapter.send(attemptTo('+4915112345678'));
    await until(() => sink.receipts[0], 'the receipt');
    await carriers.stop();
  });

  it('is dropped and tried anew when enquire_link is not answered', async () => {
    const sockets: Socket[] = [];
    const bindOnly = (socket: Socket) =>
      socket.once('data', (bind) =>
        socket.write(
          Buffer.concat([Buffer.from('000000118000000900000000', 'hex'), bind.subarray(12, 16), Buffer.alloc(1)]),
        ),
      );
    const server = await mute(sockets, bindOnly);
    const { port } = server.address() as { port: number };
    adapter = createAdapter(
      'sms-smpp',
      smsSettings(port, { response_timeout: '60ms', enquire_link: '50ms' }),
      contextWith(),
    );
    await adapter.start(recordingSink());
    await until(() => sockets[1], 'a second connection');
    await adapter.stop();
    server.close();
    await once(server, 'close');
  });

  it('survives an SMSC that talks nonsense', async () => {
    const sockets: Socket[] = [];
    const server = await mute(sockets, (socket) => socket.write(Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')));
    const { port } = server.address() as { port: number };
    adapter = createAdapter('sms-smpp', smsSettings(port), contextWith());
    await adapter.start(recordingSink());
    expect((await adapter.send(attemptTo('+4915112345678'))).kind).toBe('retry-after');
    await adapter.stop();
    server.close();
    await once(server, 'close');
  });

  it('keeps nobody waiting for a place in the window once it is stopped', async () => {
    const carriers = await startCarriers();
    await carriers.call('PUT', '/faults/smsc', { kind: 'timeout-before-effect' });
    const settings = smsSettings(carriers.smscPort, { window: 1, response_timeout: '60s' });
    adapter = createAdapter('sms-smpp', settings, contextWith());
    await adapter.start(recordingSink());
    const outcomes = Promise.all([1, 2].map(() => adapter.send(attemptTo('+4915112345678'))));
    await until(async () => ((await carriers.call('GET', '/livez')).smppClients === 1 ? true : undefined), 'bound');
    await adapter.stop();
    expect((await outcomes).map(({ kind }) => kind).sort()).toEqual([
      expect.stringMatching(/ambiguous|retry-after/),
      'retry-after',
    ]);
    await carriers.stop();
  });

  it('lets no more messages out at once than the window holds, and loses none', async () => {
    const carriers = await startCarriers();
    adapter = createAdapter(
      'sms-smpp',
      smsSettings(carriers.smscPort, { window: 2, response_timeout: '5s' }),
      contextWith(),
    );
    await adapter.start(recordingSink());
    const outcomes = await Promise.all(Array.from({ length: 25 }, () => adapter.send(attemptTo('+4915112345678'))));
    expect(new Set(outcomes.map(({ kind }) => kind))).toEqual(new Set(['accepted']));
    expect(await carriers.shown('+4915112345678')).toBe(25);
    await carriers.stop();
  });
});

/** An SMSC that answers binds at most with what `greet` writes. */
async function mute(sockets: Socket[], greet: (socket: Socket) => void = () => undefined): Promise<Server> {
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    socket.resume();
    greet(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}
