#include "fwd/audit/fold.h"

#include <catch2/catch.hpp>

#include "tests/fwd/audit/records.h"

namespace {

using namespace fwd::audit;
using namespace fwd::audit::test;

constexpr std::int64_t kSecond = 1'000'000'000;

VerdictRecord from(const std::string& source, std::int64_t time = kSecond) {
  VerdictRecord record = at_time(time);
  record.judgement.packet.source = address(source);
  return record;
}

VerdictRecord allowed() {
  VerdictRecord record = at_time(kSecond);
  record.judgement.outcome = fwd::engine::Outcome::Approve;
  return record;
}

}  // namespace

TEST_CASE("a budget is spent in a second, and each second has its own") {
  Budget budget(2);
  CHECK(budget.take(at_time(kSecond)));
  CHECK(budget.take(at_time(kSecond + 1)));
  CHECK_FALSE(budget.take(at_time(2 * kSecond - 1)));
  CHECK(budget.take(at_time(2 * kSecond)));
}

TEST_CASE("refused packets don't spend the budget of accepted ones") {
  Budget budget(1);
  CHECK(budget.take(at_time(kSecond)));
  CHECK_FALSE(budget.take(at_time(kSecond)));
  CHECK(budget.take(allowed()));
  CHECK_FALSE(budget.take(allowed()));
}

TEST_CASE("what is sampled out has no line and spends no budget") {
  VerdictRecord out = allowed();
  out.sampled_out = true;
  for (const std::uint32_t lines : {0U, 1U}) {
    Budget budget(lines);
    CHECK_FALSE(budget.take(out));
    CHECK(budget.take(allowed()));
  }
}

TEST_CASE("what is sampled out is counted by rule, whatever its source, and apart from floods") {
  const auto record = [](const std::string& source, std::uint32_t rule, bool out) {
    VerdictRecord result = allowed();
    result.judgement.packet.source = address(source);
    result.judgement.decision.index = rule;
    result.sampled_out = out;
    return result;
  };
  Folder folder;
  folder.add(record("192.0.2.1", 0, true));
  folder.add(record("192.0.2.1", 0, false));
  folder.add(record("192.0.2.2", 0, true));
  folder.add(record("192.0.2.2", 1, true));
  folder.close();
  REQUIRE(folder.closed().size() == 3);
  CHECK(folder.closed()[0].packets == 2);
  CHECK(folder.closed()[0].first.sampled_out);
  CHECK_FALSE(folder.closed()[0].one_source);
  CHECK(folder.closed()[1].packets == 1);
  CHECK(folder.closed()[1].one_source);
  CHECK_FALSE(folder.closed()[1].first.sampled_out);
  CHECK(folder.closed()[2].packets == 1);
}

TEST_CASE("a budget of zero is none") {
  Budget budget(0);
  for (int record = 0; record < 1000; ++record) CHECK(budget.take(at_time(kSecond)));
}

TEST_CASE("decisions of one second are counted by source, with first and last time") {
  Folder folder;
  folder.add(from("192.0.2.1", kSecond));
  folder.add(from("192.0.2.2", kSecond + 10));
  folder.add(from("192.0.2.1", kSecond + 20));
  CHECK(folder.closed().empty());
  folder.close_before(2 * kSecond - 1);
  CHECK(folder.closed().empty());
  folder.close_before(2 * kSecond);
  REQUIRE(folder.closed().size() == 2);
  CHECK(folder.closed()[0].packets == 2);
  CHECK(folder.closed()[0].first.realtime_ns == kSecond);
  CHECK(folder.closed()[0].last_ns == kSecond + 20);
  CHECK(folder.closed()[1].packets == 1);
  CHECK(folder.packets() == 3);
  folder.pop();
  CHECK(folder.packets() == 1);
}

TEST_CASE("what differs in anything but destination and ports isn't folded together") {
  const auto differing = [](auto change) {
    VerdictRecord record = from("192.0.2.1");
    change(record);
    return record;
  };
  Folder folder;
  folder.add(from("192.0.2.1"));
  folder.add(from("::ffff:192.0.2.1"));
  folder.add(differing([](auto& r) { r.judgement.decision.index = 1; }));
  folder.add(differing([](auto& r) { r.judgement.decision.by = rules::DecidedBy::Builtin; }));
  folder.add(differing([](auto& r) { r.judgement.direction = rules::Direction::Out; }));
  folder.add(differing([](auto& r) { r.judgement.outcome = fwd::engine::Outcome::Reject; }));
  folder.add(differing([](auto& r) { r.judgement.reason = fwd::engine::Reason::Revoked; }));
  folder.add(differing([](auto& r) { r.judgement.packet.protocol = rules::protocol::kUdp; }));
  folder.add(differing([](auto& r) { r.decided_by = DecidedBy::KernelCopy; }));
  folder.close();
  CHECK(folder.closed().size() == 9);
  Folder same;
  same.add(from("192.0.2.1"));
  same.add(differing([](auto& r) { r.judgement.packet.destination_port = 9; }));
  same.close();
  CHECK(same.closed().size() == 1);
}

TEST_CASE("another second or another policy begins a new fold") {
  Folder folder;
  folder.add(from("192.0.2.1", kSecond));
  folder.add(from("192.0.2.1", 3 * kSecond));
  CHECK(folder.closed().size() == 1);
  VerdictRecord record = from("192.0.2.1", 3 * kSecond);
  record.policy_version = 8;
  folder.add(record);
  CHECK(folder.closed().size() == 2);
}

TEST_CASE("forged sources neither fill the memory nor the log") {
  Folder folder;
  for (std::uint32_t source = 0; source < 10 * Folder::kMostFolds; ++source) {
    VerdictRecord record = at_time(kSecond);
    record.judgement.packet.source = rules::Address::v4(0x0a000000U + source);
    folder.add(record);
  }
  folder.close();
  REQUIRE(folder.closed().size() == Folder::kMostFolds + 1);
  CHECK(folder.closed().front().one_source);
  CHECK_FALSE(folder.closed().back().one_source);
  CHECK(folder.closed().back().packets == 9 * Folder::kMostFolds);
}
