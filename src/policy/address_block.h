/*
 * address_block: IPv4 and IPv6 address blocks ("192.0.2.0/24", "2001:db8::/32", "192.0.2.1").
 *
 * An IPv4 address mapped into IPv6 counts as the IPv4 address. Values; threads: any.
 */
#pragma once

#include <glib.h>

typedef struct {
    guint8 address[16]; /* IPv4 as ::ffff:a.b.c.d */
    guint8 bits;        /* 0 to 128 of the mapped form */
} AddressBlock;

/* FALSE and an error: not an address, a prefix too long, or bits set behind the prefix. */
gboolean address_block_parse(const char *text, AddressBlock *block, GError **error);

/* One address as a block of itself. Takes "[192.0.2.1]" and "IPv6:2001:db8::1" as well. FALSE if
 * `text` is no address. */
gboolean address_block_from_address(const char *text, AddressBlock *block);

/* FALSE too if `address` is no address; reads what address_block_from_address() does. */
gboolean address_block_contains(const AddressBlock *block, const char *address);

/* Is all of `inner` inside `block`? */
gboolean address_block_covers(const AddressBlock *block, const AddressBlock *inner);

/* The block of `bits` bits that `address` lies in. */
AddressBlock address_block_widen(const AddressBlock *address, guint8 bits);

/* "192.0.2.0/24", "192.0.2.1". The caller frees it. */
char *address_block_format(const AddressBlock *block);
