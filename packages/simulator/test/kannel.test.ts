/** The simulated SMSC as Kannel sees it: an SMPP client we did not write. */
import { afterEach, describe, expect, it } from 'vitest';
import { type Simulated, SMSC_LOGIN, simulate, until } from './harness.ts';
import { type Kannel, kannelAbsent, startKannel } from './peers/kannel.ts';

const ALICE = '+4915112345678';
const absent = kannelAbsent();

describe.skipIf(absent !== undefined)(`Kannel at our SMSC${absent === undefined ? '' : ` (${absent})`}`, () => {
  let simulator: Simulated;
  let kannel: Kannel;
  afterEach(async () => {
    await kannel.stop();
    await simulator.stop();
  });

  async function start(): Promise<void> {
    simulator = await simulate();
    kannel = await startKannel({ port: simulator.smscPort, ...SMSC_LOGIN });
    await until(
      async () => ((await simulator.call('GET', '/livez')).json.smppClients === 1 ? true : undefined),
      'Kannel is bound',
    );
  }
  const shown = async () => (await simulator.call('GET', `/phones/${ALICE}`)).json.messages as { text: string }[];
  const toldKinds = () => kannel.told.map((said) => said.get('kind'));

  it('hands over a text, and hears that it was taken and delivered, under one id', async () => {
    await start();
    expect(await kannel.send(ALICE, 'Something is waiting for you')).toBe(202);
    await until(() => (toldKinds().includes('1') ? true : undefined), 'the delivery is told');
    expect((await shown()).map(({ text }) => text)).toEqual(['Something is waiting for you']);
    expect(toldKinds()).toEqual(['8', '1']);
    expect(new Set(kannel.told.map((said) => said.get('id'))).size).toBe(1);
  });

  it('has a long text joined on the phone', async () => {
    await start();
    const text = 'word '.repeat(60).trim();
    await kannel.send(ALICE, text);
    await until(async () => ((await shown()).length === 1 ? true : undefined), 'one message is shown');
    expect((await shown())[0]?.text).toBe(text);
  });

  it('hears nothing of delivery while the phone is off, and then does', async () => {
    await start();
    await simulator.call('PUT', `/phones/${ALICE}`, { online: false });
    await kannel.send(ALICE, 'later');
    await until(() => (toldKinds().includes('8') ? true : undefined), 'taken by the SMSC');
    expect(toldKinds()).toEqual(['8']);
    await simulator.call('PUT', `/phones/${ALICE}`, { online: true });
    await until(() => (toldKinds().includes('1') ? true : undefined), 'delivered');
  });

  it('is given what a person writes, whole though it travelled in parts', async () => {
    await start();
    const texts = ['STOP', 'Žluťoučký kůň', 'a long answer '.repeat(20).trim()];
    for (const [index, text] of texts.entries()) {
      const written = { channel: 'sms', kind: 'text', text, to: '12345' };
      expect((await simulator.call('POST', `/phones/${ALICE}/writes`, written)).status).toBe(202);
      const arrived = await until(() => kannel.written[index], 'Kannel reads it');
      expect([arrived.get('from'), arrived.get('to')]).toEqual([ALICE, '12345']);
      if (/^[\x20-\x7e]*$/.test(text)) expect(arrived.get('text')).toBe(text);
    }
  });

  it('keeps its link up by enquire_link, and binds again when it was cut', async () => {
    await start();
    await simulator.call('PUT', '/faults/smsc', { kind: 'refuse' });
    await until(
      async () => ((await simulator.call('GET', '/livez')).json.smppClients === 0 ? true : undefined),
      'the link is cut',
    );
    await simulator.call('DELETE', '/faults');
    await until(
      async () => ((await simulator.call('GET', '/livez')).json.smppClients === 1 ? true : undefined),
      'bound again',
    );
    await kannel.send(ALICE, 'after the cut');
    await until(async () => ((await shown()).length === 1 ? true : undefined), 'shown');
  });
});
