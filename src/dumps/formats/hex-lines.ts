// Lines of hex dumps in the forms that `readHexDump` reads.

/** Words in which a line of sysfs ends whose numbers look like a row: kernel, iommu_group_show_resv_regions. */
const NO_REGION = '(?!.{1,80}\\s(?:msi|direct|direct-relaxable|reserved)$)';

/** An address, an optional symbol, and numbers; or only the address at the end of a dump. */
export const ADDRESSED_ROW = new RegExp(
  `^(?=\\s{0,16}(?:0x)?[0-9a-f]{4})${NO_REGION}\\s{0,16}(?:0x)?[0-9a-f]{4,16}(?:\\s{0,2}<[^<>]{1,60}>)?:?\\s{1,8}(?:0x)?[0-9a-f]{2,16}(?:\\s|$)|^[0-9a-f]{6,16}:?$`,
  'i',
);
export const PLAIN_ROW =
  /^\s{0,40}(?:(?:0x)?[0-9a-f]{2}){1,16}(?:[\s:,-]{1,4}(?:0x)?[0-9a-f]{2,16}){3,128}[\s:,]{0,4}$|^\s{0,40}[0-9a-f]{32,16000}$/i;
/** The last row of such a dump. */
export const LAST_ROW = /^\s{0,40}[0-9a-f]{2}(?:[\s:,-]{0,3}(?:0x)?[0-9a-f]{2}){0,128}[\s:,]{0,4}$/i;
/** Elements of an array in C, or a string with escapes. */
export const C_ROW =
  /^\s{0,40}(?:\{ ?)?0x[0-9a-f]{1,16}u?l{0,2}(?:\s{0,4},\s{0,4}0x[0-9a-f]{1,16}u?l{0,2}){0,128}\s{0,4},?(?:\s{0,4}\};?)?$|^\s{0,40}"?(?:\\x[0-9a-f]{2}){4,128}"?[\s;,]{0,4}$/i;
