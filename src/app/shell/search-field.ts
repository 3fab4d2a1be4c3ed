/** Id of the text field for search: the key `/` focuses it. */
export const SEARCH_ID = 'search';
export const SEARCH_LABEL = 'Find an address, size, type, group, device or text';
export const SEARCH_HINT = '0xfee00000, msi, 00:1f.0…';
