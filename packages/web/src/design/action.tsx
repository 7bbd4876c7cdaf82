/** Buttons, in three strengths: the one thing to do here, what else can be done, and what stands within text. */
import { Button } from '@mantine/core';
import type { ReactNode } from 'react';

const VARIANTS = { main: 'filled', other: 'default', quiet: 'subtle' } as const;

export interface ActionProps {
  readonly children: ReactNode;
  readonly onPress?: () => void;
  readonly strength?: keyof typeof VARIANTS;
  /** Under way: it cannot be pressed, and keeps its place. */
  readonly busy?: boolean;
  readonly disabled?: boolean;
  /** Sends the form it stands in. */
  readonly submits?: boolean;
  readonly describedBy?: string;
}

export function Action(props: ActionProps) {
  const { children, onPress, strength = 'other', busy = false, disabled = false, submits = false, describedBy } = props;
  return (
    <Button
      type={submits ? 'submit' : 'button'}
      variant={VARIANTS[strength]}
      disabled={disabled || busy}
      aria-busy={busy}
      aria-describedby={describedBy}
      onClick={onPress}
    >
      {children}
    </Button>
  );
}
