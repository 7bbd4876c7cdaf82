/** `sealpost complete <shell>`: completion for bash, zsh, fish and PowerShell, made from the commands themselves. */
import tab from '@bomb.sh/tab/commander';
import type { Command } from 'commander';

export function addCompletion(program: Command): void {
  tab(program);
}
