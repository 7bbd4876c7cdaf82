/**
 * How a group state is stored. A snapshot holds everything of an epoch and is large (hundreds of KB in a group of a
 * hundred); a ratchet holds only what sending moves on, so that a durable send writes a hundred bytes. Both begin with
 * a version of their own, because ts-mls has changed its format between releases.
 */
import { equalBytes, fromUtf8, utf8 } from '@sealpost/protocol';
import { decodeGroupState, encodeGroupState } from 'ts-mls/clientState.js';
import {
  decodeUint8,
  decodeUint16,
  decodeUint32,
  decodeUint64,
  uint8Encoder,
  uint16Encoder,
  uint32Encoder,
  uint64Encoder,
} from 'ts-mls/codec/number.js';
import { mapDecoders } from 'ts-mls/codec/tlsDecoder.js';
import { contramapBufferEncoders, encode } from 'ts-mls/codec/tlsEncoder.js';
import {
  decodeVarLenData,
  decodeVarLenType,
  varLenDataEncoder,
  varLenTypeEncoder,
} from 'ts-mls/codec/variableLength.js';
import type { SecretTreeNode } from 'ts-mls/secretTree.js';
import { RESTING_CONFIG } from './credential.ts';
import type { GroupState } from './engine.ts';
import { mlsError } from './mls-errors.ts';
import { type MemberState, seal, unseal } from './state.ts';
import type { MlsSuite } from './suite.ts';

const VERSION = 1;
const KIND_SNAPSHOT = 0x53;
const KIND_RATCHET = 0x52;

type Name = readonly [leaf: number, uri: string];

interface Snapshot {
  readonly suite: number;
  readonly names: Name[];
  readonly group: Uint8Array;
}

/** `confirmationTag` ties a ratchet to one epoch of one branch, not only to an epoch's number. */
interface Ratchet {
  readonly epoch: bigint;
  readonly confirmationTag: Uint8Array;
  readonly leaf: number;
  readonly generation: number;
  readonly secret: Uint8Array;
}

type RatchetFields = [number, number, bigint, Uint8Array, number, number, Uint8Array];

const nameEncoder = contramapBufferEncoders(
  [uint32Encoder, varLenDataEncoder],
  ([leaf, uri]: Name): [number, Uint8Array] => [leaf, utf8(uri)],
);
const decodeName = mapDecoders([decodeUint32, decodeVarLenData], (leaf, uri): Name => [leaf, fromUtf8(uri)]);

const encodeSnapshot = encode(
  contramapBufferEncoders(
    [uint8Encoder, uint8Encoder, uint16Encoder, varLenTypeEncoder(nameEncoder), varLenDataEncoder],
    ({ suite, names, group }: Snapshot): [number, number, number, Name[], Uint8Array] => [
      VERSION,
      KIND_SNAPSHOT,
      suite,
      names,
      group,
    ],
  ),
);
const decodeSnapshot = mapDecoders(
  [decodeUint8, decodeUint8, decodeUint16, decodeVarLenType(decodeName), decodeVarLenData],
  (_version, kind, suite, names, group): Snapshot | undefined =>
    kind === KIND_SNAPSHOT ? { suite, names, group } : undefined,
);

const encodeRatchetRecord = encode(
  contramapBufferEncoders(
    [uint8Encoder, uint8Encoder, uint64Encoder, varLenDataEncoder, uint32Encoder, uint32Encoder, varLenDataEncoder],
    ({ epoch, confirmationTag, leaf, generation, secret }: Ratchet): RatchetFields => [
      VERSION,
      KIND_RATCHET,
      epoch,
      confirmationTag,
      leaf,
      generation,
      secret,
    ],
  ),
);
const decodeRatchetRecord = mapDecoders(
  [decodeUint8, decodeUint8, decodeUint64, decodeVarLenData, decodeUint32, decodeUint32, decodeVarLenData],
  (_version, kind, epoch, confirmationTag, leaf, generation, secret): Ratchet | undefined =>
    kind === KIND_RATCHET ? { epoch, confirmationTag, leaf, generation, secret } : undefined,
);

export function encodeState(suite: MlsSuite, state: GroupState): Uint8Array {
  const { client, names } = unseal(state);
  return encodeSnapshot({ suite, names: [...names].sort(([a], [b]) => a - b), group: encodeGroupState(client) });
}

export function encodeRatchet(state: GroupState): Uint8Array {
  const { client } = unseal(state);
  const leaf = client.privatePath.leafIndex;
  const { application } = nodeOf(client.secretTree, leaf);
  const { generation, secret } = application;
  return encodeRatchetRecord({
    epoch: client.groupContext.epoch,
    confirmationTag: client.confirmationTag,
    leaf,
    generation,
    secret,
  });
}

export function decodeState(suite: MlsSuite, snapshot: Uint8Array, ratchet?: Uint8Array): GroupState {
  const read = decodeStored(snapshot, decodeSnapshot);
  if (read.suite !== suite) throw mlsError('ERR_MLS_STATE');
  const group = orDamaged(() => decodeGroupState(read.group, 0));
  if (group[1] !== read.group.length) throw mlsError('ERR_MLS_STATE');
  const member = { client: { ...group[0], clientConfig: RESTING_CONFIG }, names: new Map(read.names) };
  return seal(ratchet === undefined ? member : advanced(member, decodeStored(ratchet, decodeRatchetRecord)));
}

/** The snapshot moved on by the ratchet: the same epoch of the same branch, and never backwards. */
function advanced(member: MemberState, ratchet: Ratchet): MemberState {
  const { client } = member;
  const leaf = client.privatePath.leafIndex;
  const node = nodeOf(client.secretTree, leaf);
  const fits =
    ratchet.epoch === client.groupContext.epoch &&
    equalBytes(ratchet.confirmationTag, client.confirmationTag) &&
    ratchet.leaf === leaf &&
    ratchet.generation >= node.application.generation &&
    ratchet.secret.length === node.application.secret.length;
  if (!fits) throw mlsError('ERR_MLS_STATE');
  const { generation, secret } = ratchet;
  const application = { ...node.application, generation, secret };
  return { ...member, client: { ...client, secretTree: client.secretTree.with(2 * leaf, { ...node, application }) } };
}

function nodeOf(tree: readonly SecretTreeNode[], leaf: number): SecretTreeNode {
  const node = tree[2 * leaf];
  if (node === undefined) throw mlsError('ERR_MLS_STATE');
  return node;
}

/** Decodes a copy, so that wiping secrets never writes into the caller's bytes nor the other way round. */
function decodeStored<T>(
  bytes: Uint8Array,
  decode: (bytes: Uint8Array, at: number) => [T | undefined, number] | undefined,
): T {
  if ((bytes[0] ?? 0) > VERSION) throw mlsError('ERR_MLS_STATE_NEWER');
  const [value, length] = orDamaged(() => decode(new Uint8Array(bytes), 0));
  if (value === undefined || bytes[0] !== VERSION || length !== bytes.length) throw mlsError('ERR_MLS_STATE');
  return value;
}

function orDamaged<T>(decode: () => T | undefined): T {
  let value: T | undefined;
  try {
    value = decode();
  } catch (cause) {
    throw mlsError('ERR_MLS_STATE', { cause });
  }
  if (value === undefined) throw mlsError('ERR_MLS_STATE');
  return value;
}
