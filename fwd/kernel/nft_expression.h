// The values of rules/nft.h as libnftnl expressions: which registers hold what is known here and
// nowhere else.
#pragma once

#include "fwd/kernel/table.h"
#include "rules/nft.h"

struct nftnl_rule;

namespace fwd::kernel {

void add_statement(nftnl_rule* rule, const rules::nft::Statement& statement, QueueExpression queue);

}  // namespace fwd::kernel
