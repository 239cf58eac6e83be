// A TOML file is bundled as its text.
declare module "*.toml" {
  const text: string;
  export default text;
}
