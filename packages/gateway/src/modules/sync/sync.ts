/**
 * All sync connections of this node. Hints say when to look at queues, directory and newer connections; a poll makes up
 * for hints that were lost. One question to the database serves all connections, however many there are.
 */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type DeviceId, SYNC_SUBPROTOCOL } from '@sealpost/protocol';
import { WebSocketServer } from 'ws';
import { type Bus, POLL_MS } from '../../platform/bus.ts';
import type { Directory } from '../directory/index.ts';
import type { Groups } from '../groups/index.ts';
import { type ReadySession, type SessionDeps, serveSession } from './session.ts';
import { DEVICE_FRAME_LIMIT, SyncSocket } from './sync-socket.ts';
import { outdated } from './sync-store.ts';

export interface Sync {
  /** Serves `GET /v1/sync` on this server; other upgrades are refused. */
  attach(server: UpgradeSource): void;
  /** Ends every connection with a reason and waits until all are closed; before the server itself is closed. */
  stop(): Promise<void>;
}

type OnUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

/** What of a node:http server is needed: `server.server` of the device listener. */
export interface UpgradeSource {
  on(event: 'upgrade', listener: OnUpgrade): unknown;
  off(event: 'upgrade', listener: OnUpgrade): unknown;
}

export interface SyncDeps extends SessionDeps {
  readonly directory: Pick<Directory, 'device' | 'inactive' | 'onRevoked'>;
  readonly groups: SessionDeps['groups'] & Pick<Groups, 'waiting'>;
  readonly bus: Pick<Bus, 'on'>;
}

const PATH = '/v1/sync';
const CONNECTION_LIMIT = 10_000;
/** Connections that have not proven a device: they cost memory and know nobody. */
const UNPROVEN_LIMIT = 1000;
const HEARTBEAT = 30_000;
const SOCKET_OPTIONS = {
  noServer: true,
  WebSocket: SyncSocket,
  maxPayload: DEVICE_FRAME_LIMIT,
  perMessageDeflate: false,
  clientTracking: true,
  handleProtocols: () => SYNC_SUBPROTOCOL,
  closeTimeout: 2000,
};

export function createSync(deps: SyncDeps): Sync {
  const { database, directory, groups, bus, logger } = deps;
  const sockets = new WebSocketServer<typeof SyncSocket>(SOCKET_OPTIONS);
  const sessions = new Map<DeviceId, ReadySession>();
  const answering = new WeakSet<SyncSocket>();
  const attached = new Set<UpgradeSource>();

  const registry = {
    add(session: ReadySession) {
      const older = sessions.get(session.device);
      // Two hellos at once on this node: the larger number is the newer one.
      if (older !== undefined && older.number > session.number) return session.end('ERR_SYNC_SUPERSEDED');
      sessions.set(session.device, session);
      older?.end('ERR_SYNC_SUPERSEDED');
    },
    remove(session: ReadySession) {
      if (sessions.get(session.device) === session) sessions.delete(session.device);
    },
  };

  const lookAtQueues = oneAtATime(async () => {
    for (const device of await groups.waiting([...sessions.keys()])) sessions.get(device)?.pump();
  });
  const lookAtDevices = oneAtATime(async () => {
    for (const device of await directory.inactive([...sessions.keys()])) sessions.get(device)?.end('ERR_SYNC_REVOKED');
    for (const session of await outdated(database, [...sessions.values()])) session.end('ERR_SYNC_SUPERSEDED');
  });
  /** With the database away connections stay; the next look finds what this one missed. */
  function oneAtATime(look: () => Promise<void>): () => void {
    let busy = false;
    let again = false;
    const run = async () => {
      busy = true;
      do {
        again = false;
        await look().catch((cause) =>
          logger.warn('sync could not look', { reason: cause instanceof Error ? cause.name : 'unknown' }),
        );
      } while (again);
      busy = false;
    };
    return () => {
      again = true;
      if (!busy && sessions.size > 0) void run();
    };
  }

  const beat = () => {
    for (const socket of sockets.clients) {
      if (!answering.delete(socket)) socket.terminate();
      else socket.ping();
    }
  };

  const offs = [
    bus.on('queue', lookAtQueues),
    bus.on('directory', lookAtDevices),
    directory.onRevoked((device) => sessions.get(device)?.end('ERR_SYNC_REVOKED')),
  ];
  const poll = setInterval(() => {
    lookAtQueues();
    lookAtDevices();
  }, POLL_MS);
  const heart = setInterval(beat, HEARTBEAT);

  const accept = (socket: SyncSocket) => {
    const { size } = sockets.clients;
    if (size > CONNECTION_LIMIT || size - sessions.size > UNPROVEN_LIMIT) {
      socket.on('error', () => undefined);
      return socket.end('ERR_SYNC_FULL');
    }
    answering.add(socket);
    socket.on('pong', () => answering.add(socket));
    serveSession(socket, deps, registry);
  };

  const onUpgrade: OnUpgrade = (request, socket, head) => {
    const refusal = refusalOf(request);
    if (refusal !== undefined) return refuse(socket, refusal);
    sockets.handleUpgrade(request, socket, head, accept);
  };

  return {
    attach(server) {
      attached.add(server);
      server.on('upgrade', onUpgrade);
    },
    async stop() {
      for (const off of offs) off();
      clearInterval(poll);
      clearInterval(heart);
      for (const server of attached) server.off('upgrade', onUpgrade);
      const closed = [...sockets.clients].map((socket) => new Promise((resolve) => socket.once('close', resolve)));
      for (const socket of sockets.clients) socket.end('ERR_SYNC_UNAVAILABLE');
      await Promise.all(closed);
    },
  };
}

function refusalOf({ url, headers }: IncomingMessage): string | undefined {
  if (url !== PATH) return '404 Not Found';
  const offered = (headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim());
  return offered.includes(SYNC_SUBPROTOCOL) ? undefined : '400 Bad Request';
}

function refuse(socket: Duplex, status: string): void {
  socket.on('error', () => undefined);
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
