// Interprets a table of rules/nft.h for one packet, as the kernel would: so that what we write can be
// compared with what it should mean, without a kernel.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "rules/nft.h"
#include "rules/packet.h"
#include "rules/policy.h"

namespace tests {

struct MachineState {
  rules::Packet packet;
  rules::Direction direction = rules::Direction::In;
  std::string interface = {};
  std::uint32_t priority = 0;
  std::uint32_t ct_state = rules::nft::state::kNew;
  std::uint32_t ct_direction = rules::nft::kOriginal;
  std::uint32_t ct_mark = 0;

  std::vector<std::string> counted = {};  // counters, in the order of the packet's way
  std::vector<std::string> chains = {};   // that it was in
  std::size_t rules = 0;                  // that it met
  bool priority_from_map = false;
  bool rejected = false;
};

class NftMachine {
 public:
  // The table must outlive the machine.
  explicit NftMachine(const rules::nft::Table& table);

  enum class End : std::uint8_t { Accept, Drop, Fallthrough };
  End run(const std::string& chain, MachineState& state) const;

 private:
  enum class Step : std::uint8_t { Go, Break, Accept, Drop, Return };
  struct Index {
    const rules::nft::Map* map;
    std::unordered_map<std::string, const rules::nft::Element*> elements;  // by bytes of the key
  };

  Step run_chain(const std::string& chain, MachineState& state, int depth) const;
  Step run_rule(const rules::nft::Rule& rule, MachineState& state, int depth) const;
  Step execute(const rules::nft::Statement& statement, MachineState& state, int depth) const;
  // Nothing where the map has nothing for the packet.
  const rules::nft::Element* find(const std::string& map,
                                  const std::vector<rules::nft::KeyPart>& parts,
                                  const MachineState& state) const;
  Step enter(rules::nft::Verdict::Kind kind, const std::string& chain, MachineState& state,
             int depth) const;

  std::unordered_map<std::string, const rules::nft::Chain*> chains_;
  std::unordered_map<std::string, Index> maps_;
  std::unordered_map<std::string, const rules::nft::FixedSet*> sets_;
};

}  // namespace tests
