import { z } from 'zod';
import { mountApp } from '../design/app.tsx';
import { takeCode } from './session/code.ts';
import { createHttp } from './session/http.ts';
import { createSession } from './session/session.ts';
import { openSessionStore } from './session/session-store.ts';
import { Console } from './view/console.tsx';

// Compiling schemas at run time would need `unsafe-eval`, which no page of ours is granted.
z.config({ jitless: true });

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
const http = createHttp((path, init) => fetch(path, init));
const session = createSession({ http, store: openSessionStore, now: Date.now, pause });

mountApp(<Console session={session} />);
void session.start(takeCode(location, (address) => history.replaceState(null, '', address)));
