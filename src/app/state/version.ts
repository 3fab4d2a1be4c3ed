/** Of iovascope; empty where the page was not built. */
export const VERSION: string = import.meta.env.IOVASCOPE_VERSION ?? '';
