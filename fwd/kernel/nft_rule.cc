// encode_rule() and expressions(): one rule, to and from libnftnl.
#include <array>
#include <cstdio>

#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <libnftnl/udata.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include "fwd/kernel/nft_batch.h"
#include "fwd/kernel/nft_expression.h"

namespace fwd::kernel {

RulePtr encode_rule(const std::string& table, const std::string& chain,
                    const rules::nft::Rule& value, QueueExpression queue) {
  RulePtr rule(nftnl_rule_alloc());
  nftnl_rule_set_str(rule.get(), NFTNL_RULE_TABLE, table.c_str());
  nftnl_rule_set_str(rule.get(), NFTNL_RULE_CHAIN, chain.c_str());
  nftnl_rule_set_u32(rule.get(), NFTNL_RULE_FAMILY, NFPROTO_INET);
  for (const rules::nft::Statement& statement : value.statements)
    add_statement(rule.get(), statement, queue);
  if (!value.comment.empty()) {
    nftnl_udata_buf* userdata = nftnl_udata_buf_alloc(NFT_USERDATA_MAXLEN);
    nftnl_udata_put_strz(userdata, NFTNL_UDATA_RULE_COMMENT, value.comment.c_str());
    nftnl_rule_set_data(rule.get(), NFTNL_RULE_USERDATA, nftnl_udata_buf_data(userdata),
                        nftnl_udata_buf_len(userdata));
    nftnl_udata_buf_free(userdata);
  }
  return rule;
}

std::string expressions(const nftnl_rule* rule) {
  std::string out;
  const auto append = [](nftnl_expr* expression, void* data) {
    std::array<char, 1024> text{};
    nftnl_expr_snprintf(text.data(), text.size(), expression, NFTNL_OUTPUT_DEFAULT, 0);
    auto* all = static_cast<std::string*>(data);
    const char* name = nftnl_expr_get_str(expression, NFTNL_EXPR_NAME);
    *all += std::string("[") + name + " " + text.data() + "]";
    return 0;
  };
  nftnl_expr_foreach(const_cast<nftnl_rule*>(rule), append, &out);
  return out;
}

}  // namespace fwd::kernel
