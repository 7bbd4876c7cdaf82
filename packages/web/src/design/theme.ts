/** Our tokens as the component library's theme; what CSS of our own uses stands in tokens.css. */
import { Button, createTheme, TextInput } from '@mantine/core';

export const theme = createTheme({
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif',
  fontFamilyMonospace: 'ui-monospace, "SF Mono", "Cascadia Mono", "Noto Sans Mono", monospace',
  primaryColor: 'ink',
  // Both carry white text: the library reckons a button’s text colour from the light shade alone.
  primaryShade: { light: 7, dark: 6 },
  autoContrast: true,
  defaultRadius: 'md',
  cursorType: 'pointer',
  respectReducedMotion: true,
  colors: {
    // A blue that keeps 4.5 : 1 against both grounds at its primary shades.
    ink: ['#eef3fb', '#dbe5f4', '#b4c8e8', '#8aa9dc', '#7fa6e6', '#5381cb', '#3b6cba', '#2a579f', '#204682', '#163463'],
  },
  components: {
    // 40 px high: what a finger hits.
    Button: Button.extend({ defaultProps: { h: 40, px: 'md', fz: 'var(--type-m)', fw: 600 } }),
    TextInput: TextInput.extend({
      defaultProps: { size: 'md' },
      // The library’s own grey is too faint to read.
      styles: { description: { color: 'var(--text-quiet)' } },
    }),
  },
});
