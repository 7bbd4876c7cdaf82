/** What adapters declare is what they have, and what the protocol says of them. */
import { addressKindOf, protectionOf } from '@sealpost/protocol';
import { describe, expect, it } from 'vitest';
import type { ChannelAdapterName } from '../src/index.ts';
import { attemptTo } from './contract.ts';
import { PAYLOADS } from './payloads.ts';
import { recordedAdapter } from './recorded-provider.ts';
import { addressFor, FILES, NAMES, SETTINGS } from './recorded-settings.ts';

const ECHO =
  '{"error":"no outcome may hold this","ok":false,"__type":"no outcome may hold this","type":"+491751234567"}';
const adapterOf = (name: ChannelAdapterName, status = 200) =>
  recordedAdapter(name, SETTINGS[name], FILES, () => new Response(ECHO, { status })).adapter;

describe.each(NAMES)('%s', (name) => {
  it('has the protection and the kind of address the protocol says', () => {
    const { protection, address, readers } = adapterOf(name).capabilities;
    expect([protection, address]).toEqual([protectionOf('carry', name), addressKindOf(name)]);
    expect(readers.length).toBeGreaterThan(0);
  });

  it('has the methods it declares and no others', () => {
    const { capabilities, lookup, query, revoke, webhook } = adapterOf(name);
    expect({ lookup: lookup !== undefined, query: query !== undefined, revoke: revoke !== undefined }).toEqual({
      lookup: capabilities.lookup,
      query: capabilities.query,
      revoke: capabilities.revoke !== 'no',
    });
    expect(webhook !== undefined).toBe(capabilities.webhook !== 'none');
  });

  it.each([200, 202, 400, 401, 403, 404, 409, 429, 500])(
    'says nothing of a secret, an address or a text in what it makes of a %i that repeats them',
    async (status) => {
      const adapter = adapterOf(name, status);
      const attempt = attemptTo(addressFor(name), { payload: PAYLOADS.text });
      const sent = { id: attempt.id, address: attempt.address, providerMessageId: 'C1:1.1' };
      const said = [
        await adapter.send(attempt),
        await adapter.revoke?.(sent),
        await adapter.lookup?.(attempt.address),
      ].filter((outcome) => outcome !== undefined);
      expect(JSON.stringify(said)).not.toMatch(/no outcome|491751234567|Disk full/);
    },
  );
});
