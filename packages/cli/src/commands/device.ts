/**
 * `sealpost device`: an enrolled device on the command line. `run` keeps it online and receives; the other commands work
 * on what was received and need the store to themselves, so stop `run` first. No key and no code is ever printed.
 */
import { readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { CLIENT_ERRORS, createFileStore, type Device, enroll, type InboxMessage, openDevice } from '@sealpost/client';
import { writeDurably } from '@sealpost/platform';
import { type ErrorTable, errorsOf, type MessageId, messageIdSchema, SealpostError } from '@sealpost/protocol';
import { Command } from 'commander';
import type { CommandContext } from './context.ts';

const DEVICE_ERRORS = {
  ERR_DEVICE_WHICH: {
    kind: 'invalid',
    sentence: 'It is not clear which device is meant.',
    hint: 'Give --name with one of the devices listed above, or --state with its folder.',
  },
  ERR_DEVICE_NONE: {
    kind: 'missing',
    sentence: 'No device is enrolled in the usual place.',
    hint: 'Run `sealpost device enroll` first, or give --state.',
  },
  ERR_DEVICE_ARGUMENT: {
    kind: 'invalid',
    sentence: 'An argument is not in the form it must have.',
    hint: 'Run `sealpost device list` for message ids; attachments are counted from 0.',
  },
} as const satisfies ErrorTable;
const deviceError = errorsOf(DEVICE_ERRORS);

interface StateFlags {
  readonly state?: string;
  readonly name?: string;
  readonly kekFile?: string;
}

interface EnrollFlags extends StateFlags {
  readonly control: string;
  readonly code: string;
  readonly name: string;
  readonly rootFingerprint?: string;
  readonly unsafePlainHttp?: boolean;
}

const USUAL_PLACE = join(homedir(), '.local/state/sealpost-device');

const EXAMPLES = `
Examples:
  sealpost device enroll --control https://control.acme.example --code CODE --name phone
  sealpost device run --name phone
  sealpost device open MESSAGE --name phone`;

export function deviceCommand(context: CommandContext): Command {
  const command = new Command('device')
    .description('an enrolled device: enroll it, stay online, read and acknowledge')
    .addHelpText('after', EXAMPLES);
  const onDevice = (usage: string, description: string) =>
    command
      .command(usage)
      .description(description)
      .option('--name <name>', 'which device, when there are several in the usual place')
      .option('--state <dir>', 'its folder (default: ~/.local/state/sealpost-device/<name>)')
      .option('--kek-file <file>', 'key-encryption key of its store (default: kek in its folder)');

  command
    .command('enroll')
    .description('make this a device of yours, with a single-use code from your administrator')
    .requiredOption('--control <url>', 'address of control')
    .requiredOption('--code <code>', 'the enrollment code')
    .requiredOption('--name <name>', 'what you call the device')
    .option('--state <dir>', 'where it keeps its state (default: ~/.local/state/sealpost-device/<name>)')
    .option(
      '--kek-file <file>',
      'key-encryption key, made when absent; best on another medium (default: kek in --state)',
    )
    .option('--root-fingerprint <hex>', 'SHA-256 of the organisation’s root certificate, from your administrator')
    .option('--unsafe-plain-http', 'allow plain HTTP to another machine: the code and trust can be replaced on the way')
    .action((flags: EnrollFlags) => enrollHere(context, flags));
  onDevice('run', 'stay online; one line an event, until Ctrl-C').action((flags: StateFlags) => run(context, flags));
  onDevice('list', 'what was received, newest first').action((flags: StateFlags) =>
    withDevice(context, flags, (device) => list(context, device)),
  );
  onDevice('open <message>', 'show a message and send the read receipt').action((message: string, flags: StateFlags) =>
    withDevice(context, flags, (device) => open(context, device, messageOf(message))),
  );
  onDevice('ack <message>', 'acknowledge a message').action((message: string, flags: StateFlags) =>
    withDevice(context, flags, (device) => acknowledge(context, device, messageOf(message))),
  );
  onDevice('attachment <message> <index>', 'fetch, check and write one attachment; the first is 0')
    .requiredOption('--out <file>', 'where it goes')
    .action((message: string, index: string, flags: StateFlags & { out: string }) =>
      withDevice(context, flags, (device) => attachment(context, device, messageOf(message), index, flags.out)),
    );
  onDevice('readers <message>', 'who could read a message').action((message: string, flags: StateFlags) =>
    withDevice(context, flags, async (device) => {
      const readers = await device.readers(messageOf(message));
      context.output().result({ ok: true, message, readers }, readers);
    }),
  );
  return command;
}

async function enrollHere(context: CommandContext, flags: EnrollFlags): Promise<void> {
  const { say, result } = context.output();
  if (flags.unsafePlainHttp === true) say('warning: plain HTTP to another machine can be read and changed on the way');
  const state = resolve(flags.state ?? join(USUAL_PLACE, flags.name));
  const store = await createFileStore(state, kekOf(flags, state));
  try {
    const { control, code, name, rootFingerprint, unsafePlainHttp } = flags;
    const enrolled = await enroll({
      control,
      code,
      name,
      store,
      surroundings: context.surroundings,
      ...(rootFingerprint === undefined ? {} : { rootFingerprint }),
      ...(unsafePlainHttp === undefined ? {} : { unsafePlainHttp }),
    });
    if (flags.kekFile === undefined)
      say('note: the key-encryption key is beside the state; --kek-file keeps it elsewhere');
    const pinned = rootFingerprint !== undefined;
    if (!pinned) say('note: the root was trusted at first use; compare its fingerprint with your administrator');
    result({ ok: true, ...enrolled, pinned, state }, [
      `${enrolled.device} of ${enrolled.member} at ${enrolled.organisation}`,
      `root  ${enrolled.rootFingerprint}`,
      `state ${state}`,
    ]);
  } finally {
    await store.close();
  }
}

async function run(context: CommandContext, flags: StateFlags): Promise<void> {
  const { result, say } = context.output();
  const stopped = stopRequested();
  await withDevice(context, flags, async (device) => {
    const { promise: refused, reject } = Promise.withResolvers<never>();
    refused.catch(() => undefined);
    const off = device.on((change) => {
      result({ ...change }, [
        [change.kind, change.message, change.code].filter((word) => word !== undefined).join(' '),
      ]);
      if (change.code === 'ERR_CLIENT_REFUSED')
        reject(new SealpostError(change.code, CLIENT_ERRORS.ERR_CLIENT_REFUSED));
    });
    say(`${device.identity.device} of ${device.identity.member}: connecting, Ctrl-C stops`);
    try {
      // Stopping while it still connects makes `connect` reject: nobody waits for that any more.
      const connected = device.connect();
      connected.catch(() => undefined);
      await Promise.race([connected.then(() => refused), stopped]);
    } finally {
      await device.disconnect();
      off();
    }
  });
}

async function list(context: CommandContext, device: Device): Promise<void> {
  const messages = await device.inbox();
  const words = messages.map(
    ({ message, state, receivedAt, subject, code }) =>
      `${message}  ${state.padEnd(12)} ${new Date(receivedAt).toISOString()}  ${code ?? shownSafely(subject)}`,
  );
  context.output().result({ ok: true, messages }, words.length === 0 ? ['nothing was received yet'] : words);
}

async function open(context: CommandContext, device: Device, message: MessageId): Promise<void> {
  const opened = await device.open(message);
  const waiting = await sendReceipts(context, device);
  context.output().result({ ok: true, ...opened, receiptsWaiting: waiting }, messageWords(opened));
}

async function acknowledge(context: CommandContext, device: Device, message: MessageId): Promise<void> {
  await device.acknowledge(message);
  const waiting = await sendReceipts(context, device);
  context.output().result({ ok: true, message, receiptsWaiting: waiting }, [`acknowledged ${message}`]);
}

async function attachment(
  context: CommandContext,
  device: Device,
  message: MessageId,
  index: string,
  out: string,
): Promise<void> {
  if (!/^\d{1,2}$/.test(index))
    throw deviceError('ERR_DEVICE_ARGUMENT', { details: [{ pointer: 'index', detail: 'is not a number' }] });
  const bytes = await device.attachment(message, Number(index));
  writeDurably(resolve(out), bytes);
  context.output().result({ ok: true, message, out: resolve(out), bytes: bytes.length }, [resolve(out)]);
}

/** Receipts are stored already; without the gateway they wait for the next time online. */
async function sendReceipts(context: CommandContext, device: Device): Promise<number | null> {
  try {
    return await device.sendReceipts();
  } catch {
    context.output().say('note: the receipt is stored and will be sent when the device is next online');
    return null;
  }
}

async function withDevice(
  context: CommandContext,
  flags: StateFlags,
  work: (device: Device) => Promise<void>,
): Promise<void> {
  const state = stateOf(context, flags);
  const store = await createFileStore(state, kekOf(flags, state));
  const device = await openDevice({ store, surroundings: context.surroundings }).catch(async (error: unknown) => {
    await store.close();
    throw error;
  });
  try {
    await work(device);
  } finally {
    await device.close();
  }
}

function kekOf({ kekFile }: StateFlags, state: string): string {
  return kekFile === undefined ? join(state, 'kek') : resolve(kekFile);
}

/** The folder given, the one named, or the only one there is. Never makes one. */
function stateOf(context: CommandContext, { state, name }: StateFlags): string {
  if (state !== undefined) return existing(resolve(state));
  if (name !== undefined) return existing(join(USUAL_PLACE, name));
  const devices = foldersIn(USUAL_PLACE);
  const [only, ...more] = devices;
  if (only === undefined) throw deviceError('ERR_DEVICE_NONE');
  if (more.length === 0) return join(USUAL_PLACE, only);
  for (const device of devices) context.output().say(`  ${device}`);
  throw deviceError('ERR_DEVICE_WHICH');
}

function existing(folder: string): string {
  if (foldersIn(folder).includes('values')) return folder;
  throw deviceError('ERR_DEVICE_NONE', { details: [{ pointer: folder, detail: 'holds no device' }] });
}

function foldersIn(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));
  } catch {
    return [];
  }
}

function messageOf(text: string): MessageId {
  const message = messageIdSchema.safeParse(text);
  if (message.success) return message.data;
  throw deviceError('ERR_DEVICE_ARGUMENT', { details: [{ pointer: 'message', detail: 'is not a message id' }] });
}

function messageWords({
  subject,
  sender,
  sentAt,
  body,
  facts,
  attachments,
  acknowledge: asks,
}: InboxMessage): string[] {
  return [
    subject,
    `from ${sender.agent ?? ''}, authenticated by MLS`,
    `sent ${new Date(sentAt).toISOString()}, as the gateway says`,
    '',
    ...body.split('\n'),
    ...facts.map(({ name, value }) => `  ${name}: ${value}`),
    ...attachments.map(
      ({ name, mediaType, size }, index) => `  attachment ${index}: ${name} (${mediaType}, ${size} bytes)`,
    ),
    ...(asks ? ['', 'the sender asks for an acknowledgement: sealpost device ack'] : []),
  ].map(shownSafely);
}

/** What others wrote must not drive this terminal (ECMA-48 control functions) nor turn its words round (Unicode bidi). */
function shownSafely(text: string): string {
  return text.replaceAll(/(?!\t)[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu, '\u{fffd}');
}

/** Resolves on Ctrl-C, on SIGTERM, and when the process that started this one is gone. */
function stopRequested(): Promise<'stopped'> {
  return new Promise((resolve) => {
    const stop = () => resolve('stopped');
    process.once('SIGINT', stop);
    process.once('SIGTERM', stop);
    process.once('SIGHUP', stop);
    if (process.connected) process.once('disconnect', stop);
  });
}
