/**
 * @sealpost/tlog: the append-only Merkle log. Owns the tree of RFC 9162 section 2.1 (hashes, appending, inclusion and
 * consistency proofs), the C2SP forms around it (tiles, signed notes, checkpoints, witness cosignatures), what a Sealpost
 * leaf says, and the export format with its verifier.
 *
 * Promises: pure and the same in Node and browsers; no input or output, no clock, no randomness, no global state. What
 * others sent is answered with a value, never trusted before its signature. It does not store, fetch, sequence or decide
 * which witnesses suffice. It is not IETF KEYTRANS.
 */
export { type EntryEvidence, type EvidenceVerdict, type RecordedEvent, verifyEvidence } from './evidence.ts';
export { type FindVerdict, type FoundEntry, findEntry, verifyReceiptInclusion } from './export/find-entry.ts';
export { EXPORT_FORMAT } from './export/line-schema.ts';
export { linesOf, pagesOf, UNREADABLE_LINE } from './export/lines.ts';
export {
  type ExportLines,
  type ExportVerdict,
  type VerifiedExport,
  type VerifyExportOptions,
  verifyExport,
} from './export/verify-export.ts';
export type { WalkedEntry, WalkFailure } from './export/walk.ts';
export { type ExportEntry, type ExportSource, writeExport } from './export/write.ts';
export { commitRecord, type Leaf, leafData, type ParsedLeaf, parseLeafData, SALT_LENGTH } from './leaf.ts';
export {
  type Checkpoint,
  type CheckpointKeys,
  type Cosigned,
  encodeCheckpoint,
  type OpenedCheckpoint,
  openCheckpoint,
  type ParsedCheckpoint,
  parseCheckpoint,
} from './note/checkpoint.ts';
export { cosignatureLine, cosignedBytes } from './note/cosignature.ts';
export {
  appendSignature,
  type NoteSignature,
  type NoteSigner,
  type ParsedNote,
  parseNote,
  signNote,
} from './note/signed-note.ts';
export {
  encodeVerifierKey,
  type NoteAlgorithm,
  type ParsedVerifierKey,
  parseVerifierKey,
  type VerifierKey,
  verifierKey,
} from './note/verifier-key.ts';
export { type NoteVerdict, type VerifiedSignature, verifyNote } from './note/verify-note.ts';
export { TLOG_ERRORS, TlogError, type TlogErrorCode } from './tlog-errors.ts';
export { type ConsistencyClaim, consistencyProof, verifyConsistency } from './tree/consistency.ts';
export { type EntryBundle, encodeEntryBundle, parseEntryBundle } from './tree/entry-bundle.ts';
export {
  appendLeaf,
  decodeFrontier,
  emptyFrontier,
  encodeFrontier,
  type Frontier,
  frontierRoot,
  type SubtreeObserver,
} from './tree/frontier.ts';
export { type HashReader, readerFromLeaves } from './tree/hash-reader.ts';
export { emptyRoot, HASH_LENGTH, leafHash, nodeHash, portableSha256, rootOf, type Sha256 } from './tree/hashing.ts';
export { type InclusionClaim, inclusionProof, type Proof, verifyInclusion } from './tree/inclusion.ts';
export {
  entriesPath,
  newTiles,
  parseTilePath,
  readerFromTiles,
  TILE_WIDTH,
  type Tile,
  type TileSource,
  tileBytes,
  tileOf,
  tilePath,
} from './tree/tiles.ts';
