/**
 * The three acts by hand, in a real browser: one page around three origins, each doing what it says and holding no more
 * than it should. Everything is waited for as a person would see it.
 */
import { existsSync } from 'node:fs';
import AxeBuilder from '@axe-core/playwright';
import { type Browser, chromium, type Frame, type FrameLocator, type Page } from 'playwright';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openLivePage } from '../../packages/cli/src/story/live-page.ts';
import { ALICE_PHONE } from '../../packages/cli/src/story/stage.ts';
import { openHouse, type RunningHouse } from '../support/running-house.ts';

const PROGRAM = '/usr/bin/chromium';
const MISSING = 'the page in a real browser needs chromium: apt-get install chromium';
const installed = existsSync(PROGRAM);
const PORT_BASE = 7520;
const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
/** A whole house and a browser on a busy machine; each step waits for what it names. */
const PATIENCE = 240_000;
const STEP = 45_000;

const TITLES = {
  carrier: 'What the carrier sees',
  inbox: 'What the recipient sees',
  console: 'What the operator sees',
} as const;
type Column = keyof typeof TITLES;

if (!installed && process.env.SEALPOST_REQUIRE_PEERS !== '1') test.skip(MISSING, () => undefined);
else {
  let house: RunningHouse;
  let browser: Browser;
  let page: Page;
  let origins: Readonly<Record<'frame' | 'inbox' | 'console' | 'devices', string>>;
  const complaints: string[] = [];
  const asked = new Set<string>();

  const column = (name: Column): FrameLocator => page.frameLocator(`iframe[title="${TITLES[name]}"]`);
  const press = (name: Column, button: string | RegExp) => column(name).getByRole('button', { name: button }).click();
  const sees = (name: Column, text: string | RegExp) => column(name).getByText(text).first().waitFor();
  const notices = () => column('carrier').getByRole('list', { name: 'Notices on the phone, newest first' });
  const contextOf = async (name: Column): Promise<Frame> => {
    const frame = await (await page.locator(`iframe[title="${TITLES[name]}"]`).elementHandle())?.contentFrame();
    if (frame === null || frame === undefined) throw new Error(`no frame ${name}`);
    return frame;
  };

  beforeAll(async () => {
    if (!installed) throw new Error(MISSING);
    house = await openHouse(PORT_BASE);
    await house.stage();
    const link = await openLivePage(house.sealpost, house.surroundings);
    const at = (port: number) => `http://127.0.0.1:${port}`;
    const { ports } = house.sealpost;
    origins = {
      frame: at(ports.simulator),
      inbox: at(ports.inbox),
      console: at(ports.console),
      devices: at(ports.devices),
    };
    browser = await chromium.launch({ executablePath: PROGRAM, args: ARGUMENTS });
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
    page = await context.newPage();
    page.setDefaultTimeout(STEP);
    page.on('console', (said) => said.type() === 'error' && complaints.push(said.text()));
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('request', (request) => asked.add(originOf(request.url())));
    page.on('websocket', (socket) => asked.add(originOf(socket.url())));
    await page.goto(link ?? '');
  }, PATIENCE);
  afterAll(async () => {
    await browser?.close();
    await house?.close();
  });

  test(
    'the link opens three columns, and no code of it stays in the address',
    async () => {
      await column('inbox').getByRole('button', { name: 'Enroll this browser' }).waitFor();
      await column('console').getByRole('heading', { name: 'Messages' }).waitFor();
      await column('carrier').getByText(ALICE_PHONE).first().waitFor();
      for (const url of [page.url(), ...page.frames().map((frame) => frame.url())]) expect(new URL(url).hash).toBe('');
      await isAccessible('light');
    },
    PATIENCE,
  );

  test(
    'act one: the recipient is online, reads the alert with its attachment, and no carrier hears of it',
    async () => {
      await press('inbox', 'Enroll this browser');
      await sees('inbox', 'Messages arrive as they are sent.');
      await press('carrier', 'Send an alert');
      await press('inbox', /DiskFull/);
      await sees('inbox', 'End-to-end encrypted.');
      await sees('inbox', 'Who can read it');
      const picture = column('inbox').getByRole('img');
      await picture.waitFor();
      expect(await picture.evaluate((image: HTMLImageElement) => image.naturalWidth)).toBeGreaterThan(0);

      await sees('console', 'Delivery has ended: read.');
      await sees('console', 'A device of the recipient has read it. Nothing more is sent.');
      await sees('console', 'It is the first step of the ladder.');
      await everyStepProved();
      await sees('carrier', 'No notice');
      expect(await column('carrier').getByText('It was sent nothing.').count()).toBe(2);
      await isAccessible('dark');
    },
    PATIENCE,
  );

  test(
    'act two: the recipient is offline, and the phone shows an RCS notice that says nothing of what waits',
    async () => {
      await press('inbox', 'Go offline');
      await sees('inbox', 'Offline, by your choice');
      await press('carrier', 'Send an alert');
      await notices().getByText('RCS message').waitFor();
      expect(await column('carrier').getByText('This notice carries no content.').count()).toBe(1);
      expect(await wordsSentToCarriers()).not.toMatch(/ReplicaLag|replica|primary/i);
      await sees('console', 'RCS: the provider says the notice reached the phone.');
      await isAccessible('light');

      await press('inbox', 'Come back online');
      await press('inbox', /ReplicaLag/);
      await sees('console', 'Delivery has ended: read.');
      await everyStepProved();
    },
    PATIENCE,
  );

  test(
    'act three: RCS is broken, the notice comes by SMS, the timeline says why, and RCS is repaired',
    async () => {
      await press('inbox', 'Go offline');
      await sees('inbox', 'Offline, by your choice');
      await press('carrier', 'Break RCS');
      await sees('carrier', 'broken: answers 503');
      await press('carrier', 'Send an alert');
      await notices().getByText('SMS', { exact: true }).waitFor();
      expect(await wordsSentToCarriers()).not.toMatch(/CertificateExpiry|certificate|endpoint/i);
      await sees('console', 'RCS: the provider could not take it now; it is tried again a little later.');
      await sees('console', /The provider answered 503/);
      await sees('console', 'SMS: the provider says the notice reached the phone.');
      await isAccessible('dark');

      await press('carrier', 'Repair RCS');
      await sees('carrier', 'The RCS provider works again.');
      await press('inbox', 'Come back online');
      await press('inbox', /CertificateExpiry/);
      await sees('console', 'Delivery has ended: read.');
    },
    PATIENCE,
  );

  test('the device’s key is in the inbox’s origin alone, and cannot be taken out even there', async () => {
    const inbox = await contextOf('inbox');
    expect(await inbox.evaluate(storedKeys)).toEqual([
      { type: 'private', algorithm: 'ECDSA', extractable: false, exported: 'refused' },
    ]);
    for (const other of [page.mainFrame(), await contextOf('carrier'), await contextOf('console')]) {
      expect(new URL(other.url()).origin).not.toBe(origins.inbox);
      expect(await other.evaluate(deviceStores)).toEqual([]);
    }
  });

  test('no other column reaches into the inbox’s window, nor into the console’s', async () => {
    const places = { inbox: 1, console: 2 };
    for (const name of ['carrier', 'console'] as const) {
      const frame = await contextOf(name);
      expect(await frame.evaluate(reach, places.inbox), `${name} into inbox`).toEqual(REFUSED);
    }
    expect(await page.mainFrame().evaluate(reach, places.inbox)).toEqual(REFUSED);
    expect(await page.mainFrame().evaluate(reach, places.console)).toEqual(REFUSED);
    expect(await (await contextOf('inbox')).evaluate(reach, places.console)).toEqual(REFUSED);
  });

  test('each origin serves its page under a strict policy of its own', async () => {
    const common = ["default-src 'none'", "script-src 'self'", "base-uri 'none'", "form-action 'none'"];
    const socket = origins.devices.replace('http:', 'ws:');
    const expected: [string, string[]][] = [
      [`${origins.frame}/`, ["frame-ancestors 'none'", `frame-src 'self' ${origins.inbox} ${origins.console}`]],
      [`${origins.frame}/carrier/`, ["frame-ancestors 'self'", "frame-src 'none'", "connect-src 'self'"]],
      [`${origins.inbox}/`, [`frame-ancestors ${origins.frame}`, `connect-src 'self' ${origins.devices} ${socket}`]],
      [`${origins.console}/`, [`frame-ancestors ${origins.frame}`, "connect-src 'self'"]],
    ];
    for (const [url, own] of expected) {
      const { headers } = await fetch(url);
      const policy = (headers.get('content-security-policy') ?? '').split('; ');
      expect(policy, url).toEqual(expect.arrayContaining([...common, ...own]));
      expect(policy.join(' ')).not.toMatch(/unsafe-|\*/);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('referrer-policy')).toBe('no-referrer');
    }
  });

  test('through all of it no page complained, and none asked anybody but its own four origins', () => {
    expect(complaints).toEqual([]);
    expect([...asked].sort()).toEqual(Object.values(origins).sort());
  });

  /** Each line of the newest message's timeline is in the log and its proof was verified in the browser. */
  async function everyStepProved(): Promise<void> {
    const steps = column('console').locator('summary', { hasText: 'log entry' });
    await steps.filter({ hasText: '· proved' }).first().waitFor();
    await expect
      .poll(async () => (await steps.filter({ hasText: '· proved' }).count()) - (await steps.count()), {
        timeout: STEP,
      })
      .toBe(0);
  }

  async function wordsSentToCarriers(): Promise<string> {
    const phones = await (await fetch(`${origins.frame}/phones`)).text();
    return phones + (await (await fetch(`${origins.frame}/traffic`)).text());
  }

  /** The page and every document in it: side by side in both schemes, and one at a time in `narrow`. */
  async function isAccessible(narrow: 'light' | 'dark'): Promise<void> {
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      await hasNoViolations(`three columns, ${colorScheme}`);
    }
    await page.emulateMedia({ colorScheme: narrow });
    await page.setViewportSize({ width: 390, height: 844 });
    for (const tab of ['Recipient', 'Operator', 'Carrier']) {
      await page.getByRole('tab', { name: tab }).click();
      await hasNoViolations(`${tab} alone, ${narrow}`);
      expect(await sidewaysScroll(), `${tab} scrolls sideways`).toEqual([]);
    }
    await page.setViewportSize({ width: 1440, height: 900 });
    await page.emulateMedia({ colorScheme: 'light' });
  }

  async function hasNoViolations(what: string): Promise<void> {
    // What a tab hides is looked at when its own turn comes.
    const axe = new AxeBuilder({ page }).exclude('[hidden]').options({ resultTypes: ['violations'] });
    const { violations } = await axe.analyze();
    const found = violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id}: ${target.join(' ')}`));
    expect(found, what).toEqual([]);
  }

  /** Addresses of documents that are wider than what shows them. */
  async function sidewaysScroll(): Promise<string[]> {
    const wide: string[] = [];
    for (const frame of page.frames()) {
      if (await frame.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth + 1))
        wide.push(frame.url());
    }
    return wide;
  }
}

function originOf(url: string): string {
  // A picture of an attachment is a blob of the inbox's own.
  return new URL(url).origin.replace(/^ws/, 'http');
}

const REFUSED = { document: 'SecurityError', indexedDB: 'SecurityError', localStorage: 'SecurityError' };

// What follows runs inside the pages.

/** What a frame gets of its neighbour at this place beyond the few members the platform leaves open to every origin. */
function reach(place: number): Record<string, string> {
  const neighbour = (window.top ?? window).frames[place];
  const tried = (name: 'document' | 'indexedDB' | 'localStorage'): string => {
    try {
      return String(neighbour?.[name]);
    } catch (error) {
      return error instanceof DOMException ? error.name : String(error);
    }
  };
  return { document: tried('document'), indexedDB: tried('indexedDB'), localStorage: tried('localStorage') };
}

async function deviceStores(): Promise<string[]> {
  const names = (await indexedDB.databases()).map(({ name = '' }) => name);
  return names.filter((name) => name.startsWith('sealpost/'));
}

/** The device's signature key as this origin's script can get hold of it. */
async function storedKeys() {
  const done = <T>(request: IDBRequest<T>) =>
    new Promise<T>((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
  const keys: { type: string; algorithm: string; extractable: boolean; exported: string }[] = [];
  for (const { name = '' } of await indexedDB.databases()) {
    if (!name.startsWith('sealpost/')) continue;
    const database = await done(indexedDB.open(name));
    const { privateKey } = await done(database.transaction('keys').objectStore('keys').get('signer'));
    database.close();
    const exported = await crypto.subtle.exportKey('jwk', privateKey).then(
      () => 'given',
      () => 'refused',
    );
    keys.push({
      type: privateKey.type,
      algorithm: privateKey.algorithm.name,
      extractable: privateKey.extractable,
      exported,
    });
  }
  return keys;
}
