#include "rules/printer.h"

#include <random>
#include <string>

#include <catch2/catch.hpp>

#include "tests/rules/texts.h"

using namespace rules;
using namespace rules::tests;

namespace {

// Writes random policies: valid sentences, meaningful or not.
class Writer {
 public:
  explicit Writer(unsigned seed) : random_(seed) {}

  std::string policy() {
    std::string text =
        "set a = { 10.0.0.1, 10.1.0.0/16, 2001:db8::/32 }\nset p = { 80, 90-95 }\nset none = {}\n";
    text += pick({"default deny in\n", "default reject in\n", ""});
    text += pick({"builtin ping off\n", "builtin mld off\nbuiltin dhcp off\n", ""});
    for (int i = 0; i < 5; ++i) text += rule() + "\n";
    return text;
  }

 private:
  std::string pick(std::initializer_list<const char*> choices) {
    return *(choices.begin() + random_() % choices.size());
  }

  std::string rule() {
    const std::string action = pick({"allow", "deny", "reject", "limit"});
    std::string text = action + pick({"", " in", " out"}) +
                       pick({"", "", " on eth0", " log", " log none", " log sample 20"});
    const std::string shape = pick({"short", "long", "long", "icmp"});
    if (shape == "short")
      text += pick({" 80/tcp", " ssh", " domain", " 1,2,5:9/udp", " 22", " @p"});
    if (shape == "icmp")
      text +=
          pick({" proto icmp", " proto icmp type echo-reply", " proto icmpv6 type 3", " proto 1"});
    if (shape == "long") {
      text += pick({" proto tcp", " proto udp,sctp", " proto 17"});
      text += pick({"", " from any", " from @a", " from 10.0.0.0/24",
                    " from 10.0.0.1-10.0.0.7 port 9", " from @none"});
      text += pick({"", " to any port 5", " to @a port @p,7", " to 10.0.0.9"});
    }
    if (action == "limit") text += pick({"", " rate 3/1m"});
    return text + pick({"", "", " comment \"x \\\\ \\\" y\"", " comment it's"});
  }

  std::mt19937 random_;
};

}  // namespace

TEST_CASE("what is printed parses back to the same policy") {
  int valid = 0;
  for (unsigned seed = 0; seed < 2000; ++seed) {
    const SourceTree written = tree_of(Writer(seed).policy());
    const auto document = parse(written);
    REQUIRE(document);
    const auto resolved = resolve(*document, services());

    const SourceTree printed = tree_of(print(*document));
    const auto from_tree = resolve_tree(printed);
    REQUIRE(from_tree.has_value() == resolved.has_value());
    if (!resolved) continue;  // a duplicate, most likely
    ++valid;
    const SourceTree canonical = tree_of(print(resolved->policy));
    const auto from_policy = resolve_tree(canonical);
    INFO(written.main.text);
    REQUIRE(from_policy);
    CHECK(from_tree->policy.hash == resolved->policy.hash);
    CHECK(from_policy->policy.hash == resolved->policy.hash);
    CHECK(print(from_policy->policy) == canonical.main.text);
  }
  CHECK(valid > 1000);
}

TEST_CASE("ports are printed as ufw writes them") {
  CHECK(ports_text(std::vector<PortRange>{{80, 80}, {8000, 8010}}) == "80,8000:8010");
  CHECK(ports_text({}).empty());
}
