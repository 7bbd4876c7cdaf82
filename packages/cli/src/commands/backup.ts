/** `sealpost backup`: sealed copies of each zone, verified without a server, restored into an empty house. */
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Command, Option } from 'commander';
import { backupError, backupErrorAt } from '../backup/backup-errors.ts';
import { createBackupKey, readBackupKey, readRecipient } from '../backup/backup-key.ts';
import { createBackups } from '../backup/create.ts';
import { withHouse, withNewHouse } from '../backup/house.ts';
import { type Place, readPlace } from '../backup/place.ts';
import { requireNothingForgotten, restoreBackup } from '../backup/restore.ts';
import { type VerifiedBackup, verifyBackup } from '../backup/verify.ts';
import { readBootstrapped, ZONES, type Zone } from '../bootstrap/bootstrap.ts';
import { refuse } from '../output.ts';
import type { CommandContext } from './context.ts';
import { operatorFolder } from './manifests.ts';

interface CreateFlags {
  readonly to: string;
  readonly out: string;
  readonly zone: Zone | 'all';
  readonly data?: string;
  readonly config?: string;
}

interface VerifyFlags {
  readonly key: string;
  readonly operator?: string;
  readonly checkpoint?: string;
}

interface RestoreFlags extends VerifyFlags {
  readonly data?: string;
  readonly config?: string;
  readonly unsafeForget?: boolean;
}

export function backupCommand(context: CommandContext): Command {
  const command = new Command('backup').description('sealed backups of each zone: create, verify, restore');
  command
    .command('key-create <file>')
    .description('make a backup key: FILE is for the operator alone, FILE.pub for the machines that make backups')
    .action(async (file: string) => {
      const { id } = await createBackupKey(resolve(file));
      const [privateKey, publicKey] = [resolve(file), `${resolve(file)}.pub`];
      context
        .output()
        .result({ ok: true, id, privateKey, publicKey }, [
          `key     ${id}`,
          `private ${privateKey} (keep it off every server; without it no backup opens)`,
          `public  ${publicKey}`,
        ]);
    });
  command
    .command('create')
    .description('write one sealed file a zone, while it runs or while it stands still')
    .requiredOption('--to <file>', 'public backup key')
    .requiredOption('--out <dir>', 'folder the files go to')
    .addOption(new Option('--zone <zone>', 'which zone').choices([...ZONES, 'all']).default('all'))
    .option('--data <dir>', 'data folder of `sealpost start`')
    .option('--config <file>', 'configuration of the one zone, where zones are on hosts of their own')
    .action((flags: CreateFlags) => create(context, flags));
  command
    .command('verify <file>')
    .description('open a backup, check all of it and recompute its log; exit 3 when it does not hold')
    .requiredOption('--key <file>', 'private backup key')
    .option('--operator <dir>', 'folder whose trust file the backup must agree with')
    .option('--checkpoint <file>', 'a checkpoint or an exported log that was kept elsewhere')
    .action(async (file: string, flags: VerifyFlags) => {
      const verified = await verifyAll(context, [file], flags).catch(refuse);
      const [value, words] = [verified.map(summaryOf)[0], verified.flatMap(wordsOf)];
      context.output().result({ ok: true, ...value }, words);
    });
  command
    .command('restore <files...>')
    .description('verify the backups and restore them into an empty house or zone')
    .requiredOption('--key <file>', 'private backup key')
    .option('--operator <dir>', 'folder whose trust file the backups must agree with')
    .option('--data <dir>', 'new data folder of `sealpost start`; needs the backups of all three zones')
    .option('--config <file>', 'configuration of the one zone, where zones are on hosts of their own')
    .option('--checkpoint <file>', 'newest checkpoint or exported log known; a gateway is not restored without')
    .option('--unsafe-forget', 'restore a gateway although its log may have promised more; its log will say so')
    .action((files: string[], flags: RestoreFlags) => restore(context, files, flags));
  return command;
}

async function create(context: CommandContext, flags: CreateFlags): Promise<void> {
  const recipient = readRecipient(resolve(flags.to));
  const { surroundings, version } = context;
  const stamp = new Date(surroundings.now()).toISOString().replaceAll(/[-:]|\.\d+/g, '');
  mkdirSync(resolve(flags.out), { recursive: true, mode: 0o700 });
  const orderOf = (place: Place) => ({
    place,
    recipient,
    out: join(resolve(flags.out), `${place.zone}-${stamp}.backup`),
  });
  const make = (places: readonly Place[]) => createBackups(places.map(orderOf), version, surroundings);
  const { config, zone } = flags;
  if ((config === undefined) === (flags.data === undefined) || (config !== undefined && zone === 'all'))
    throw backupError('ERR_BACKUP_NO_CONFIG');
  const created =
    config !== undefined && zone !== 'all'
      ? await make([readPlace(zone, resolve(config))])
      : await withHouse(houseOf(context, flags.data ?? ''), (places) =>
          make(zone === 'all' ? ZONES.map((name) => places[name]) : [places[zone]]),
        );
  context.output().result(
    { ok: true, key: recipient.id, backups: created },
    created.map(
      ({ zone: name, out, rows, blobs, bytes }) =>
        `${name.padEnd(10)} ${out} (${rows} rows, ${blobs} blobs, ${bytes} bytes)`,
    ),
  );
}

async function restore(context: CommandContext, files: readonly string[], flags: RestoreFlags): Promise<void> {
  if ((flags.config === undefined) === (flags.data === undefined)) throw backupError('ERR_BACKUP_NO_CONFIG');
  const verified = await verifyAll(context, files, flags).catch(refuse);
  for (const backup of verified) requireNothingForgotten(backup, flags.unsafeForget === true);
  const deps = await depsOf(context, flags);
  const restoreInto = async (placeOf: (zone: Zone) => Place) => {
    for (const backup of verified) await restoreBackup(backup, placeOf(backup.manifest.zone), deps);
  };
  if (flags.config !== undefined) {
    const [zone, more] = verified.map(({ manifest }) => manifest.zone);
    if (zone === undefined || more !== undefined)
      throw backupErrorAt('ERR_BACKUP_UNFIT', flags.config, 'is of one zone');
    const place = readPlace(zone, resolve(flags.config));
    await restoreInto(() => place);
  } else {
    requireEachZone(verified);
    const house = { ...houseOf(context, flags.data ?? ''), organisation: deps.trust.organisation };
    await withNewHouse(house, (places) => restoreInto((zone) => places[zone]));
  }
  context
    .output()
    .result({ ok: true, restored: verified.map(summaryOf) }, [
      ...verified.flatMap(wordsOf),
      'restored; agents begin their conversations anew with their next message',
    ]);
}

function requireEachZone(verified: readonly VerifiedBackup[]): void {
  for (const zone of ZONES)
    if (verified.filter(({ manifest }) => manifest.zone === zone).length !== 1)
      throw backupErrorAt('ERR_BACKUP_UNFIT', zone, 'needs exactly one backup');
}

async function depsOf(context: CommandContext, flags: VerifyFlags) {
  const { trust } = await readBootstrapped(operatorFolder(context, flags));
  return { key: await readBackupKey(resolve(flags.key)), trust, surroundings: context.surroundings };
}

async function verifyAll(
  context: CommandContext,
  files: readonly string[],
  flags: VerifyFlags,
): Promise<VerifiedBackup[]> {
  const { key, trust } = await depsOf(context, flags);
  const against = flags.checkpoint === undefined ? {} : { checkpoint: resolve(flags.checkpoint) };
  const verified: VerifiedBackup[] = [];
  for (const file of files) verified.push(await verifyBackup({ file: resolve(file), key, trust, ...against }));
  return verified;
}

function summaryOf({ file, manifest, log, outside }: VerifiedBackup) {
  const { zone, taken, tables, blobs, keys, leftOut } = manifest;
  const rows = tables.reduce((sum, table) => sum + table.rows, 0);
  const cosignedBy = log?.cosignedBy.map(({ name }) => name);
  return {
    file,
    zone,
    taken,
    tables: tables.length,
    rows,
    blobs,
    keys,
    keysLeftOut: leftOut,
    ...(log === undefined ? {} : { log: { size: log.size, checkpoint: log.checkpointSize, cosignedBy } }),
    ...(outside === undefined ? {} : { outside }),
  };
}

function wordsOf(backup: VerifiedBackup): string[] {
  const { zone, taken, rows, blobs, keys, keysLeftOut, log, outside } = summaryOf(backup);
  return [
    `${zone}: taken ${new Date(taken).toISOString()}, ${rows} rows, ${blobs} blobs, keys ${keys.join(', ')}; ${keysLeftOut} keys are never backed up`,
    ...(log === undefined ? [] : [`${zone}: the log's ${log.size} entries give the root of every checkpoint`]),
    ...(outside === undefined
      ? []
      : [
          `${zone}: ${outside.proved ? 'one history with' : 'not comparable with'} what was given, which has ${outside.size} entries; ${outside.forgets} are not in the backup`,
        ]),
  ];
}

function houseOf({ version, runtimeDir, surroundings, output }: CommandContext, data: string) {
  return { data: resolve(data), version, runtimeDir, surroundings, say: output().say };
}
