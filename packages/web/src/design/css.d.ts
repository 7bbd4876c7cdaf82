/** Styles are imported for the bundler; a program sees nothing of them. */
declare module '*.css';
