/** Version of iovascope; empty if the page was not built. */
export const VERSION: string = import.meta.env.IOVASCOPE_VERSION ?? '';
