/**
 * Message ids in the dialects SMSCs are known for: one id, spelled one way in submit_sm_resp and another in the receipt
 * (Kannel `msg-id-type`, Jasmin `dlr_msgid`).
 */
export const ID_DIALECTS = ['same', 'hex-then-decimal', 'decimal-then-hex', 'leading-zeros', 'upper-case'] as const;
export type IdDialect = (typeof ID_DIALECTS)[number];

export interface IssuedId {
  readonly inResponse: string;
  readonly inReceipt: string;
}

export function createMessageIds(dialect: IdDialect, random: () => number): () => IssuedId {
  let next = 0x0a00_0000 + Math.floor(random() * 0x00ff_ffff);
  return () => {
    next += 1;
    return spell(next, dialect);
  };
}

function spell(id: number, dialect: IdDialect): IssuedId {
  const hex = id.toString(16).padStart(8, '0');
  const decimal = String(id);
  switch (dialect) {
    case 'same':
      return { inResponse: hex, inReceipt: hex };
    case 'hex-then-decimal':
      return { inResponse: hex, inReceipt: decimal };
    case 'decimal-then-hex':
      return { inResponse: decimal, inReceipt: hex };
    case 'leading-zeros':
      return { inResponse: decimal, inReceipt: decimal.padStart(12, '0') };
    case 'upper-case':
      return { inResponse: hex, inReceipt: hex.toUpperCase() };
  }
}
