import { sequenceHash } from '../../../sequence-hash.ts';
import type { Place } from '../wire.ts';

/** What a row of a character has: where it is, and which numbers were applied to it. */
export interface CharacterRow extends Place {
  readonly id: number;
  readonly zone: number;
  readonly lastSeq: number;
  readonly appliedN: number;
  readonly seqSum: number;
  readonly seqHash: number;
  readonly transferSeq: number;
}

/** A character that this server has. */
export interface Character {
  row: CharacterRow;
  /** The row as it was saved last. */
  saved: CharacterRow;
  /** It is being moved to another zone: nothing else may change it. */
  isMoving: boolean;
}

/** With one more number applied, and at this place. */
export const applied = (row: CharacterRow, seq: number, { x, z }: Place): CharacterRow => ({
  ...row,
  ...{ x, z },
  lastSeq: Math.max(row.lastSeq, seq),
  appliedN: row.appliedN + 1,
  seqSum: row.seqSum + seq,
  seqHash: row.seqHash + sequenceHash(seq),
});

/** In another zone, by the transfer with this number. */
export const transferred = (row: CharacterRow, seq: number, zone: number): CharacterRow => ({
  ...applied(row, seq, row),
  ...{ zone, transferSeq: seq },
});
