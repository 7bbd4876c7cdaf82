/** The inbox’s page: this browser’s store, clock and randomness under the inbox, and the inbox on the page. */
import { createIndexedDbStore, eraseIndexedDbStore } from '@sealpost/client';
import { mountApp } from '../design/app.tsx';
import { takeCode } from './code-in-fragment.ts';
import { createInbox } from './inbox.ts';
import { InboxPage } from './inbox-page.tsx';

const STORE = 'inbox';

const inbox = createInbox({
  secure: isSecureContext,
  control: location.origin,
  surroundings: { now: () => Date.now(), random: (length) => crypto.getRandomValues(new Uint8Array(length)) },
  openStore: () => createIndexedDbStore(STORE),
  eraseStore: () => eraseIndexedDbStore(STORE),
});
addEventListener('hashchange', () => {
  const code = takeCode();
  if (code !== undefined) inbox.offer(code);
});
void inbox.start(takeCode());
mountApp(<InboxPage inbox={inbox} />);
