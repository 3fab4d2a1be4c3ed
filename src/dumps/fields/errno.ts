// Linux errors as programs print them: by number, or by the text of the C library (glibc or musl).

/** What a call returned: 0, or the negative error by its name; by its number if Linux has no such error. */
export type CallResult = 0 | `-${string}`;

/** Numbers 1 to 133 in order (asm-generic/errno.h); `-` where there is none. */
const NAMES: readonly string[] = `
  EPERM ENOENT ESRCH EINTR EIO ENXIO E2BIG ENOEXEC EBADF ECHILD EAGAIN ENOMEM EACCES EFAULT ENOTBLK EBUSY EEXIST EXDEV
  ENODEV ENOTDIR EISDIR EINVAL ENFILE EMFILE ENOTTY ETXTBSY EFBIG ENOSPC ESPIPE EROFS EMLINK EPIPE EDOM ERANGE EDEADLK
  ENAMETOOLONG ENOLCK ENOSYS ENOTEMPTY ELOOP - ENOMSG EIDRM ECHRNG EL2NSYNC EL3HLT EL3RST ELNRNG EUNATCH ENOCSI EL2HLT
  EBADE EBADR EXFULL ENOANO EBADRQC EBADSLT - EBFONT ENOSTR ENODATA ETIME ENOSR ENONET ENOPKG EREMOTE ENOLINK EADV
  ESRMNT ECOMM EPROTO EMULTIHOP EDOTDOT EBADMSG EOVERFLOW ENOTUNIQ EBADFD EREMCHG ELIBACC ELIBBAD ELIBSCN ELIBMAX
  ELIBEXEC EILSEQ ERESTART ESTRPIPE EUSERS ENOTSOCK EDESTADDRREQ EMSGSIZE EPROTOTYPE ENOPROTOOPT EPROTONOSUPPORT
  ESOCKTNOSUPPORT EOPNOTSUPP EPFNOSUPPORT EAFNOSUPPORT EADDRINUSE EADDRNOTAVAIL ENETDOWN ENETUNREACH ENETRESET
  ECONNABORTED ECONNRESET ENOBUFS EISCONN ENOTCONN ESHUTDOWN ETOOMANYREFS ETIMEDOUT ECONNREFUSED EHOSTDOWN EHOSTUNREACH
  EALREADY EINPROGRESS ESTALE EUCLEAN ENOTNAM ENAVAIL EISNAM EREMOTEIO EDQUOT ENOMEDIUM EMEDIUMTYPE ECANCELED ENOKEY
  EKEYEXPIRED EKEYREVOKED EKEYREJECTED EOWNERDEAD ENOTRECOVERABLE ERFKILL EHWPOISON`
  .trim()
  .split(/\s+/);

/** In lower case. */
const TEXTS: ReadonlyMap<string, string> = new Map(
  Object.entries({
    'operation not permitted': 'EPERM',
    'no such file or directory': 'ENOENT',
    'no such process': 'ESRCH',
    'interrupted system call': 'EINTR',
    'input/output error': 'EIO',
    'i/o error': 'EIO',
    'no such device or address': 'ENXIO',
    'argument list too long': 'E2BIG',
    'bad file descriptor': 'EBADF',
    'resource temporarily unavailable': 'EAGAIN',
    'cannot allocate memory': 'ENOMEM',
    'out of memory': 'ENOMEM',
    'permission denied': 'EACCES',
    'bad address': 'EFAULT',
    'device or resource busy': 'EBUSY',
    'resource busy': 'EBUSY',
    'file exists': 'EEXIST',
    'no such device': 'ENODEV',
    'invalid argument': 'EINVAL',
    'too many open files': 'EMFILE',
    'inappropriate ioctl for device': 'ENOTTY',
    'not a tty': 'ENOTTY',
    'no space left on device': 'ENOSPC',
    'numerical result out of range': 'ERANGE',
    'result not representable': 'ERANGE',
    'function not implemented': 'ENOSYS',
    'value too large for defined data type': 'EOVERFLOW',
    'value too large for data type': 'EOVERFLOW',
    'operation not supported': 'EOPNOTSUPP',
    'not supported': 'EOPNOTSUPP',
    'address already in use': 'EADDRINUSE',
    'address in use': 'EADDRINUSE',
    'cannot assign requested address': 'EADDRNOTAVAIL',
    'address not available': 'EADDRNOTAVAIL',
    'connection timed out': 'ETIMEDOUT',
    'operation timed out': 'ETIMEDOUT',
  }),
);

/** The name of an error number, `EINVAL` for 22 and for -22; undefined for 0 and for numbers that Linux does not have. */
export function errnoName(number: number): string | undefined {
  const name = NAMES[Math.abs(number) - 1];
  return name === '-' ? undefined : name;
}

/** The name of an error by its text, `EINVAL` for `Invalid argument`, or by the name itself; undefined if unknown. */
export function errnoOfText(text: string): string | undefined {
  const plain = text.trim().replace(/\s+/g, ' ').toLowerCase();
  const upper = plain.toUpperCase();
  return TEXTS.get(plain) ?? (NAMES.includes(upper) && upper !== '-' ? upper : undefined);
}

/** What a call returned, by the number of the error (of either sign) or by its text. */
export function callResult(number: number, text = ''): CallResult {
  if (number === 0) return 0;
  return `-${errnoName(number) ?? errnoOfText(text) ?? Math.abs(number)}`;
}

/**
 * The error that a program prints, by its number or its text: `EINVAL`, or what was printed if Linux has no such error.
 * Undefined if nothing was printed.
 */
export function errorOf(number: string | undefined, text?: string): string | undefined {
  const name = (number === undefined ? undefined : errnoName(Number(number))) ?? errnoOfText(text ?? '');
  return name ?? (text?.trim() || (number === undefined ? undefined : `error ${number}`));
}
