/** Replies shared by all commands. gdb shows the number of an error and nothing else; the meanings are those of errno where one fits. */
export const OK = 'OK';
/** The packet means nothing here; goes out as an empty packet, which tells gdb never to send it again. */
export const UNSUPPORTED = 'unsupported';
/** Malformed or out-of-range argument (EINVAL). */
export const ERROR_ARGUMENT = 'E16';
/** No memory there (EFAULT). */
export const ERROR_MEMORY = 'E0e';
/** Not possible now (EIO). */
export const ERROR_STATE = 'E05';
/** The flash packets' own: the address is not in flash. */
export const ERROR_NOT_FLASH = 'E.memtype';
