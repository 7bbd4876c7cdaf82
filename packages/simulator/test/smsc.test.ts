/**
 * The simulated SMSC, as an SMPP client sees it.
 */

import { once } from 'node:events';
import { connect } from 'node:net';
import { PDU, Session } from 'smpp';
import { afterEach, describe, expect, it } from 'vitest';
import type { SimulatorOptions } from '../src/index.ts';
import { type Simulated, SMSC_LOGIN, simulate, until } from './harness.ts';

const ALICE = '+4915112345678';
let simulator: Simulated;
const clients: Client[] = [];

interface Client {
  readonly delivered: PDU[];
  ask(pdu: PDU): Promise<PDU>;
  close(): void;
}

async function client(acknowledge = true): Promise<Client> {
  const socket = connect({ host: '127.0.0.1', port: simulator.smscPort });
  await once(socket, 'connect');
  const session = new Session({ socket });
  const waiting = new Map<number, (pdu: PDU) => void>();
  const delivered: PDU[] = [];
  session.on('error', () => undefined);
  session.on('pdu', (pdu: PDU) => {
    if (pdu.isResponse()) waiting.get(pdu.sequence_number)?.(pdu);
    else {
      delivered.push(pdu);
      if (acknowledge) session.send(pdu.response());
    }
  });
  const made: Client = {
    delivered,
    ask: (pdu) =>
      new Promise((resolve) => {
        session.send(pdu);
        waiting.set(pdu.sequence_number, resolve);
      }),
    close: () => session.destroy(),
  };
  clients.push(made);
  return made;
}

const bind = (command: string, change: object = {}) =>
  new PDU(command, {
    system_id: SMSC_LOGIN.systemId,
    password: SMSC_LOGIN.password,
    interface_version: 0x34,
    ...change,
  });
const submit = (text: string, change: object = {}) =>
  new PDU('submit_sm', {
    source_addr: 'Acme',
    destination_addr: ALICE.slice(1),
    registered_delivery: 1,
    data_coding: 0,
    short_message: Buffer.from(text),
    ...change,
  });

async function start(options: Partial<SimulatorOptions> = {}): Promise<Client> {
  simulator = await simulate(options);
  const bound = await client();
  expect((await bound.ask(bind('bind_transceiver'))).command_status).toBe(0);
  return bound;
}

const phone = async () => (await simulator.call('GET', `/phones/${ALICE}`)).json;

afterEach(async () => {
  for (const open of clients.splice(0)) open.close();
  await simulator.stop();
});

describe('binds', () => {
  it('are refused for an unknown system_id or a wrong password, and a second bind is refused too', async () => {
    const bound = await start();
    const other = await client();
    expect((await other.ask(bind('bind_transceiver', { system_id: 'nobody' }))).command_status).toBe(0x0f);
    expect((await other.ask(bind('bind_transceiver', { password: 'guess' }))).command_status).toBe(0x0e);
    expect((await other.ask(submit('hello'))).command_status).toBe(0x04);
    expect((await bound.ask(bind('bind_transceiver'))).command_status).toBe(0x05);
    expect((await bound.ask(new PDU('enquire_link'))).command_status).toBe(0);
    expect((await bound.ask(new PDU('unbind'))).command_status).toBe(0);
  });

  it('as transmitter take messages, and receipts go to the receiver once it is bound', async () => {
    simulator = await simulate();
    const transmitter = await client();
    await transmitter.ask(bind('bind_transmitter'));
    await transmitter.ask(submit('hello'));
    const receiver = await client();
    await receiver.ask(bind('bind_receiver'));
    await until(() => receiver.delivered[0], 'the receipt');
    expect(transmitter.delivered).toEqual([]);
  });
});

describe('messages', () => {
  it('appear on the phone with the link in them, and the carrier has read all of it', async () => {
    const bound = await start();
    await bound.ask(submit('Open https://inbox.example/m/1'));
    expect((await phone()).messages).toMatchObject([
      { channel: 'sms', text: 'Open https://inbox.example/m/1', url: 'https://inbox.example/m/1', status: 'delivered' },
    ]);
    expect((await simulator.call('GET', '/traffic')).json).toMatchObject([
      { carrier: 'smsc', operation: 'submit_sm', address: ALICE, text: 'Open https://inbox.example/m/1' },
    ]);
  });

  it('in parts appear once, whole, whatever order the parts come in, with one receipt for each part that asked', async () => {
    const bound = await start();
    const part = (number: number, text: string, wants: number) =>
      submit('', {
        esm_class: 0x40,
        registered_delivery: wants,
        short_message: Buffer.concat([Buffer.from([5, 0, 3, 7, 2, number]), Buffer.from(text)]),
      });
    const last = await bound.ask(part(2, 'world', 1));
    expect((await phone()).messages).toEqual([]);
    await bound.ask(part(1, 'hello ', 0));
    expect((await phone()).messages).toMatchObject([{ text: 'hello world' }]);
    const receipt = await until(() => bound.delivered[0], 'the receipt');
    expect(receipt.receipted_message_id).toBe(last.message_id);
    expect(bound.delivered).toHaveLength(1);
  });

  it('that outlive their validity_period while the phone is away are reported EXPIRED', async () => {
    const bound = await start();
    await simulator.call('PUT', `/phones/${ALICE}`, { online: false });
    const soon = `${new Date(Date.now() + 300).toISOString().replace(/\D/g, '').slice(2, 15)}00+`;
    await bound.ask(submit('late', { validity_period: soon }));
    expect((await until(() => bound.delivered[0], 'the receipt')).message_state).toBe(3);
  });

  it('to an address that is no number are refused', async () => {
    const bound = await start();
    expect((await bound.ask(submit('x', { destination_addr: 'alice' }))).command_status).toBe(0x0b);
  });
});

describe('receipts', () => {
  it.each([
    ['same', (id: string) => id],
    ['hex-then-decimal', (id: string) => String(Number.parseInt(id, 16))],
    ['decimal-then-hex', (id: string) => Number(id).toString(16).padStart(8, '0')],
    ['leading-zeros', (id: string) => id.padStart(12, '0')],
    ['upper-case', (id: string) => id.toUpperCase()],
  ] as const)('spell the id in the dialect %s', async (idDialect, spelled) => {
    const bound = await start({ smsc: { ...SMSC_LOGIN, idDialect } });
    const { message_id } = await bound.ask(submit('hello'));
    const receipt = await until(() => bound.delivered[0], 'the receipt');
    expect(receipt.receipted_message_id).toBe(spelled(String(message_id)));
    expect(JSON.stringify(receipt.short_message)).toMatch(/stat:DELIVRD err:000/);
  });

  it('come again on the next bind when the client left without acknowledging', async () => {
    simulator = await simulate();
    const careless = await client(false);
    await careless.ask(bind('bind_transceiver'));
    await careless.ask(submit('hello'));
    await until(() => careless.delivered[0], 'the receipt');
    careless.close();
    const next = await client();
    await next.ask(bind('bind_transceiver'));
    await until(() => next.delivered[0], 'the receipt again');
  });
});

describe('faults', () => {
  it.each([
    ['429', 0x58],
    ['503', 0x14],
    ['500', 0x08],
    ['400', 0x45],
    ['403', 0x101],
    ['404', 0x0b],
  ])('%s answers command_status %i without any effect', async (kind, status) => {
    const bound = await start();
    await simulator.call('PUT', '/faults/smsc', { kind });
    expect((await bound.ask(submit('hello'))).command_status).toBe(status);
    expect((await phone()).messages).toEqual([]);
  });

  it('unauthorized drops who is bound and refuses binds until it ends', async () => {
    await start();
    await simulator.call('PUT', '/faults/smsc', { kind: 'unauthorized' });
    const other = await client();
    expect((await other.ask(bind('bind_transceiver'))).command_status).toBe(0x0e);
    expect((await simulator.call('GET', '/livez')).json.smppClients).toBe(0);
    await simulator.call('DELETE', '/faults');
    expect((await other.ask(bind('bind_transceiver'))).command_status).toBe(0);
  });
});
