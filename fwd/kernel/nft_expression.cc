#include "fwd/kernel/nft_expression.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/xt_NFQUEUE.h>

#include "fwd/kernel/nft_field.h"

namespace fwd::kernel {
namespace {

using namespace rules::nft;

constexpr std::uint32_t kRegister = NFT_REG_1;

// Registers of four bytes, by the names that the kernel gives them back by: four of them are one of
// the old registers of 16 bytes.
std::uint32_t register_at(std::uint32_t word) {
  return word % 4 == 0 ? NFT_REG_1 + word / 4 : NFT_REG32_00 + word;
}

class Encoder {
 public:
  Encoder(nftnl_rule* rule, QueueExpression queue) : rule_(rule), queue_(queue) {}

  void operator()(const Compare& compare) {
    const Load load = load_into_register(compare.field);
    if (compare.mask) mask_register(load, *compare.mask, 0);
    nftnl_expr* expression = add("cmp");
    nftnl_expr_set_u32(expression, NFTNL_EXPR_CMP_SREG, kRegister);
    nftnl_expr_set_u32(expression, NFTNL_EXPR_CMP_OP, compare.equal ? NFT_CMP_EQ : NFT_CMP_NEQ);
    set_bytes(expression, NFTNL_EXPR_CMP_DATA, bytes_of(compare.value, load));
  }

  void operator()(const Between& between) {
    const Load load = load_into_register(between.field);
    nftnl_expr* expression = add("range");
    nftnl_expr_set_u32(expression, NFTNL_EXPR_RANGE_SREG, kRegister);
    nftnl_expr_set_u32(expression, NFTNL_EXPR_RANGE_OP, NFT_RANGE_EQ);
    set_bytes(expression, NFTNL_EXPR_RANGE_FROM_DATA, bytes_of(between.first, load));
    set_bytes(expression, NFTNL_EXPR_RANGE_TO_DATA, bytes_of(between.last, load));
  }

  void operator()(const Above& above) {
    const Load load = load_into_register(above.field);
    nftnl_expr* order = add("byteorder");
    nftnl_expr_set_u32(order, NFTNL_EXPR_BYTEORDER_SREG, kRegister);
    nftnl_expr_set_u32(order, NFTNL_EXPR_BYTEORDER_DREG, kRegister);
    nftnl_expr_set_u32(order, NFTNL_EXPR_BYTEORDER_OP, NFT_BYTEORDER_HTON);
    nftnl_expr_set_u32(order, NFTNL_EXPR_BYTEORDER_LEN, load.length);
    nftnl_expr_set_u32(order, NFTNL_EXPR_BYTEORDER_SIZE, load.length);
    nftnl_expr* expression = add("cmp");
    nftnl_expr_set_u32(expression, NFTNL_EXPR_CMP_SREG, kRegister);
    nftnl_expr_set_u32(expression, NFTNL_EXPR_CMP_OP, NFT_CMP_GT);
    set_bytes(expression, NFTNL_EXPR_CMP_DATA, big_endian(above.value, load.length));
  }

  void operator()(const Lookup& lookup) {
    const Load load = load_into_register(lookup.field);
    if (lookup.mask) mask_register(load, *lookup.mask, 0);
    look_up(lookup.set, lookup.inverted ? std::uint32_t{NFT_LOOKUP_F_INV} : 0U);
  }

  void operator()(const Assign& assign) {
    mask_register(load_into_register(assign.field), assign.keep, assign.bits);
    write_register(assign.field);
  }

  void operator()(const Count& count) {
    nftnl_expr* expression = add("objref");
    nftnl_expr_set_u32(expression, NFTNL_EXPR_OBJREF_IMM_TYPE, NFT_OBJECT_COUNTER);
    nftnl_expr_set_str(expression, NFTNL_EXPR_OBJREF_IMM_NAME, count.counter.c_str());
  }

  void operator()(const CountBy& count) {
    load_key({count.key});
    nftnl_expr* expression = add("objref");
    nftnl_expr_set_u32(expression, NFTNL_EXPR_OBJREF_SET_SREG, kRegister);
    nftnl_expr_set_str(expression, NFTNL_EXPR_OBJREF_SET_NAME, count.map.c_str());
  }

  void operator()(const VerdictBy& verdict) {
    load_key(verdict.key);
    nftnl_expr_set_u32(look_up(verdict.map), NFTNL_EXPR_LOOKUP_DREG, NFT_REG_VERDICT);
  }

  void operator()(const AssignBy& assign) {
    load_key(assign.key);
    nftnl_expr_set_u32(look_up(assign.map), NFTNL_EXPR_LOOKUP_DREG, kRegister);
    write_register(assign.field);
  }

  void operator()(const LogTo& log) {
    nftnl_expr* expression = add("log");
    nftnl_expr_set_u16(expression, NFTNL_EXPR_LOG_GROUP, log.group);
    nftnl_expr_set_str(expression, NFTNL_EXPR_LOG_PREFIX, log.prefix.c_str());
    nftnl_expr_set_u32(expression, NFTNL_EXPR_LOG_SNAPLEN, log.snaplen);
  }

  void operator()(const Reject& reject) {
    nftnl_expr* expression = add("reject");
    nftnl_expr_set_u32(expression, NFTNL_EXPR_REJECT_TYPE,
                       reject.tcp_reset ? NFT_REJECT_TCP_RST : NFT_REJECT_ICMPX_UNREACH);
    nftnl_expr_set_u8(expression, NFTNL_EXPR_REJECT_CODE,
                      reject.tcp_reset ? 0 : NFT_REJECT_ICMPX_ADMIN_PROHIBITED);
  }

  // By CPU, not by addresses: a load balancer's connections are all of one address, and the worker of
  // that CPU is woken without an interrupt to another.
  void operator()(const Queue& queue) {
    const auto total = static_cast<std::uint16_t>(queue.last - queue.first + 1);
    if (queue_ == QueueExpression::Native) {
      nftnl_expr* expression = add("queue");
      nftnl_expr_set_u16(expression, NFTNL_EXPR_QUEUE_NUM, queue.first);
      nftnl_expr_set_u16(expression, NFTNL_EXPR_QUEUE_TOTAL, total);
      nftnl_expr_set_u16(expression, NFTNL_EXPR_QUEUE_FLAGS,
                         NFT_QUEUE_FLAG_BYPASS | NFT_QUEUE_FLAG_CPU_FANOUT);
      return;
    }
    const xt_NFQ_info_v3 info{queue.first, total, NFQ_FLAG_BYPASS | NFQ_FLAG_CPU_FANOUT};
    constexpr std::size_t kAligned = (sizeof info + 7) / 8 * 8;  // XT_ALIGN
    void* data = std::calloc(1, kAligned);
    std::memcpy(data, &info, sizeof info);
    nftnl_expr* expression = add("target");
    nftnl_expr_set_str(expression, NFTNL_EXPR_TG_NAME, "NFQUEUE");
    nftnl_expr_set_u32(expression, NFTNL_EXPR_TG_REV, 3);
    nftnl_expr_set(expression, NFTNL_EXPR_TG_INFO, data, kAligned);  // takes `data`
  }

  void operator()(const Remember& remember) {
    load_into_register(remember.field);
    nftnl_expr* expression = add("dynset");
    nftnl_expr_set_u32(expression, NFTNL_EXPR_DYNSET_SREG_KEY, kRegister);
    nftnl_expr_set_u32(expression, NFTNL_EXPR_DYNSET_OP,
                       remember.refresh ? NFT_DYNSET_OP_UPDATE : NFT_DYNSET_OP_ADD);
    nftnl_expr_set_str(expression, NFTNL_EXPR_DYNSET_SET_NAME, remember.set.c_str());
    const std::chrono::milliseconds timeout = remember.timeout;
    nftnl_expr_set_u64(expression, NFTNL_EXPR_DYNSET_TIMEOUT,
                       static_cast<std::uint64_t>(timeout.count()));
    if (!remember.over) return;
    // A bucket that starts full and does not refill within the element's life: so it counts.
    constexpr std::uint64_t kWeek = 604800;
    nftnl_expr* limit = nftnl_expr_alloc("limit");
    nftnl_expr_set_u64(limit, NFTNL_EXPR_LIMIT_RATE, *remember.over);
    nftnl_expr_set_u64(limit, NFTNL_EXPR_LIMIT_UNIT, kWeek);
    nftnl_expr_set_u32(limit, NFTNL_EXPR_LIMIT_BURST, *remember.over);
    nftnl_expr_set_u32(limit, NFTNL_EXPR_LIMIT_TYPE, NFT_LIMIT_PKTS);
    nftnl_expr_set_u32(limit, NFTNL_EXPR_LIMIT_FLAGS, NFT_LIMIT_F_INV);
    nftnl_expr_set(expression, NFTNL_EXPR_DYNSET_EXPR, limit, 0);
  }

  void operator()(const Verdict& verdict) {
    nftnl_expr* expression = add("immediate");
    nftnl_expr_set_u32(expression, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
    nftnl_expr_set_u32(expression, NFTNL_EXPR_IMM_VERDICT,
                       static_cast<std::uint32_t>(code(verdict.kind)));
    if (!verdict.chain.empty())
      nftnl_expr_set_str(expression, NFTNL_EXPR_IMM_CHAIN, verdict.chain.c_str());
  }

 private:
  static int code(Verdict::Kind kind) {
    switch (kind) {
      case Verdict::Kind::Accept:
        return NF_ACCEPT;
      case Verdict::Kind::Drop:
        return NF_DROP;
      case Verdict::Kind::Return:
        return NFT_RETURN;
      case Verdict::Kind::Jump:
        return NFT_JUMP;
      case Verdict::Kind::Goto:
        return NFT_GOTO;
    }
    __builtin_unreachable();
  }

  nftnl_expr* add(const char* name) {
    nftnl_expr* expression = nftnl_expr_alloc(name);
    nftnl_rule_add_expr(rule_, expression);
    return expression;
  }

  // Each part in registers of its own, one behind the other, in units of four bytes.
  void load_key(const std::vector<KeyPart>& parts) {
    std::uint32_t word = 0;
    for (const KeyPart& part : parts) {
      const Load load = load_into_register(part.field, register_at(word));
      if (part.bits) keep_first_bits(load, *part.bits, register_at(word));
      word += words(load);
    }
  }

  // What is in the registers, in a set or map.
  nftnl_expr* look_up(const std::string& set, std::uint32_t flags = 0) {
    nftnl_expr* expression = add("lookup");
    nftnl_expr_set_u32(expression, NFTNL_EXPR_LOOKUP_SREG, kRegister);
    nftnl_expr_set_str(expression, NFTNL_EXPR_LOOKUP_SET, set.c_str());
    nftnl_expr_set_u32(expression, NFTNL_EXPR_LOOKUP_FLAGS, flags);
    return expression;
  }

  void write_register(Field field) {
    if (field == Field::Priority) {
      nftnl_expr* expression = add("meta");
      nftnl_expr_set_u32(expression, NFTNL_EXPR_META_KEY, NFT_META_PRIORITY);
      nftnl_expr_set_u32(expression, NFTNL_EXPR_META_SREG, kRegister);
    } else {
      nftnl_expr* expression = add("ct");
      nftnl_expr_set_u32(expression, NFTNL_EXPR_CT_KEY, NFT_CT_MARK);
      nftnl_expr_set_u32(expression, NFTNL_EXPR_CT_SREG, kRegister);
    }
  }

  Load load_into_register(Field field, std::uint32_t to = kRegister) {
    const Load load = load_of(field);
    switch (load.from) {
      case Load::From::Meta: {
        nftnl_expr* expression = add("meta");
        nftnl_expr_set_u32(expression, NFTNL_EXPR_META_KEY, load.key);
        nftnl_expr_set_u32(expression, NFTNL_EXPR_META_DREG, to);
        break;
      }
      case Load::From::Ct: {
        nftnl_expr* expression = add("ct");
        nftnl_expr_set_u32(expression, NFTNL_EXPR_CT_KEY, load.key);
        nftnl_expr_set_u32(expression, NFTNL_EXPR_CT_DREG, to);
        break;
      }
      case Load::From::Network:
        load_payload(NFT_PAYLOAD_NETWORK_HEADER, load, to);
        break;
      case Load::From::Transport:
        load_payload(NFT_PAYLOAD_TRANSPORT_HEADER, load, to);
        break;
      case Load::From::Extension: {
        nftnl_expr* expression = add("exthdr");
        nftnl_expr_set_u8(expression, NFTNL_EXPR_EXTHDR_TYPE, load.header);
        nftnl_expr_set_u32(expression, NFTNL_EXPR_EXTHDR_OFFSET, load.key);
        nftnl_expr_set_u32(expression, NFTNL_EXPR_EXTHDR_LEN, load.length);
        nftnl_expr_set_u32(expression, NFTNL_EXPR_EXTHDR_DREG, to);
        break;
      }
    }
    return load;
  }

  void load_payload(std::uint32_t base, const Load& load, std::uint32_t to) {
    nftnl_expr* expression = add("payload");
    nftnl_expr_set_u32(expression, NFTNL_EXPR_PAYLOAD_BASE, base);
    nftnl_expr_set_u32(expression, NFTNL_EXPR_PAYLOAD_OFFSET, load.key);
    nftnl_expr_set_u32(expression, NFTNL_EXPR_PAYLOAD_LEN, load.length);
    nftnl_expr_set_u32(expression, NFTNL_EXPR_PAYLOAD_DREG, to);
  }

  // register = (register & keep) ^ bits; the two never overlap, so ^ is |.
  void mask_register(const Load& load, std::uint32_t keep, std::uint32_t bits) {
    mask_register(bytes_of(keep, load), bytes_of(bits, load), kRegister);
  }

  void keep_first_bits(const Load& load, unsigned bits, std::uint32_t at) {
    if (!load.network_order && load.length == 4) {
      mask_register(bytes_of(~(~0U >> bits), load), Bytes(load.length), at);
      return;
    }
    Bytes mask(load.length);
    for (unsigned bit = 0; bit < bits; ++bit)
      mask[bit / 8] = static_cast<std::uint8_t>(mask[bit / 8] | 0x80U >> bit % 8);
    mask_register(mask, Bytes(load.length), at);
  }

  void mask_register(const Bytes& keep, const Bytes& bits, std::uint32_t at) {
    nftnl_expr* expression = add("bitwise");
    nftnl_expr_set_u32(expression, NFTNL_EXPR_BITWISE_SREG, at);
    nftnl_expr_set_u32(expression, NFTNL_EXPR_BITWISE_DREG, at);
    nftnl_expr_set_u32(expression, NFTNL_EXPR_BITWISE_LEN, static_cast<std::uint32_t>(keep.size()));
    set_bytes(expression, NFTNL_EXPR_BITWISE_MASK, keep);
    set_bytes(expression, NFTNL_EXPR_BITWISE_XOR, bits);
  }

  static void set_bytes(nftnl_expr* expression, std::uint16_t attribute, const Bytes& bytes) {
    nftnl_expr_set(expression, attribute, bytes.data(), static_cast<std::uint32_t>(bytes.size()));
  }

  nftnl_rule* rule_;
  QueueExpression queue_;
};

}  // namespace

void add_statement(nftnl_rule* rule, const Statement& statement, QueueExpression queue) {
  std::visit(Encoder(rule, queue), statement);
}

}  // namespace fwd::kernel
