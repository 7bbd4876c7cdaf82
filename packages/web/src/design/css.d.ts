/** Styles are imported for the bundler; of a module a program sees its class names. */
declare module '*.css';
declare module '*.module.css' {
  const styles: Readonly<Record<string, string>>;
  // biome-ignore lint/style/noDefaultExport: the form in which the bundler hands out a stylesheet's names
  export default styles;
}
