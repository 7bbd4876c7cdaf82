/**
 * Credentials of the common clouds and services, by the prefixes their makers publish so that they can be found. Each
 * pattern is bounded and linear; a table, one row a kind.
 */
import type { Range } from './folded-text.ts';

const PATTERNS: readonly RegExp[] = [
  /** AWS access key ids (IAM identifiers, "unique ID prefixes"). */
  /(?<![A-Za-z0-9])(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}(?![A-Za-z0-9])/g,
  /** AWS secret access keys, which have no prefix: only beside their name. */
  /aws.{0,20}?secret.{0,20}?[=:]\s{0,5}["']?[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+])/gi,
  /** Google API keys and OAuth client secrets. */
  /(?<![A-Za-z0-9_-])AIza[A-Za-z0-9_-]{35}(?![A-Za-z0-9_-])/g,
  /(?<![A-Za-z0-9_-])GOCSPX-[A-Za-z0-9_-]{28}/g,
  /** Azure storage account keys. */
  /AccountKey=[A-Za-z0-9+/]{86}==/g,
  /** GitHub and GitLab tokens. */
  /(?<![A-Za-z0-9])gh[pousr]_[A-Za-z0-9]{36,255}/g,
  /(?<![A-Za-z0-9])github_pat_[A-Za-z0-9_]{22,255}/g,
  /(?<![A-Za-z0-9])glpat-[A-Za-z0-9_-]{20,}/g,
  /** Slack, Stripe, npm. */
  /(?<![A-Za-z0-9])xox[abeprs]-[A-Za-z0-9-]{10,250}/g,
  /(?<![A-Za-z0-9])[rs]k_live_[A-Za-z0-9]{16,250}/g,
  /(?<![A-Za-z0-9])npm_[A-Za-z0-9]{36}/g,
  /** Our own alert senders' secrets. */
  /(?<![A-Za-z0-9])sps_[a-z0-9-]{1,63}_[A-Za-z0-9_-]{43}/g,
];

export function findCloudCredentials(text: string): Range[] {
  return PATTERNS.flatMap((pattern) =>
    [...text.matchAll(pattern)].map((match) => ({ start: match.index, end: match.index + match[0].length })),
  );
}
