/**
 * An answer that is a success and not the published one, whoever gave it: the message may have been taken, so it is never
 * called unsent, refused for good or unreachable.
 */
import { describe, expect, it } from 'vitest';
import { attemptTo } from './contract.ts';
import { recordedAdapter } from './recorded-provider.ts';
import { addressFor, FILES, NAMES, SETTINGS } from './recorded-settings.ts';

describe.each(NAMES)('%s', (name) => {
  it.each([200, 202, 203, 206, 250])('is unsure after an odd success, status %i', async (status) => {
    const { adapter } = recordedAdapter(name, { ...SETTINGS[name] }, FILES, ({ url }) =>
      /token/.test(url.pathname)
        ? new Response('{"access_token":"t","expires_in":9}')
        : new Response('<p>Welcome', { status }),
    );
    expect((await adapter.send(attemptTo(addressFor(name)))).kind).toBe('ambiguous');
    await adapter.stop();
  });
});
