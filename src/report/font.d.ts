/** A font file as base64, put into the bundle by bin/build.js. */
declare module '*.woff2' {
  const base64: string;
  export default base64;
}
