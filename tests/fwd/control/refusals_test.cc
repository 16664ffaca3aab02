#include "fwd/control/refusals.h"

#include <vector>

#include <catch2/catch.hpp>

namespace {

using fwd::audit::AdminEvent;
using fwd::control::Refusals;
using fwd::control::Request;
using std::chrono::milliseconds;

// Keeps what is recorded, and counts who is looked up.
struct Book {
  std::vector<AdminEvent> events;
  int looked_up = 0;
  Refusals refusals{[this](const Request& request, const std::string& why) {
                      ++looked_up;
                      AdminEvent event;
                      event.change = request.path;
                      event.actor.uid = request.peer.uid;
                      event.refusal = why;
                      return event;
                    },
                    [this](AdminEvent event) { events.push_back(std::move(event)); }};

  void ask(uid_t uid, milliseconds when, const std::string& path = "/v1/disable") {
    Request request;
    request.peer.uid = uid;
    request.path = path;
    refusals.add(request, "no", at(when));
  }
  std::uint64_t told() const {
    std::uint64_t requests = 0;
    for (const AdminEvent& event : events) requests += event.requests;
    return requests;
  }
  static Refusals::Clock::time_point at(milliseconds when) {
    return Refusals::Clock::time_point{std::chrono::hours(1)} + when;
  }
};

}  // namespace

TEST_CASE("a request that is refused now and then has a record of its own, at once") {
  Book book;
  for (int second = 0; second < 3; ++second) {
    book.ask(1000, milliseconds(1000 * second));
    REQUIRE(book.events.size() == static_cast<std::size_t>(second) + 1);
    CHECK(book.events.back().requests == 1);
    CHECK(book.events.back().change == "/v1/disable");
    CHECK(book.events.back().actor.uid == 1000);
  }
  book.refusals.close();
  CHECK(book.events.size() == 3);
}

TEST_CASE("more of one user within a second are one record, with their number") {
  Book book;
  book.ask(1000, milliseconds(0), "/first");
  for (int i = 1; i <= 500; ++i) book.ask(1000, milliseconds(i), "/second");
  CHECK(book.events.size() == 1);
  book.refusals.close_before(Book::at(milliseconds(999)));
  CHECK(book.events.size() == 1);
  book.refusals.close_before(Book::at(milliseconds(1000)));
  REQUIRE(book.events.size() == 2);
  CHECK(book.events[1].requests == 500);
  CHECK(book.events[1].change == "500 requests, the first: /second");
  CHECK(book.events[1].refusal == "no");
  CHECK(book.looked_up == 2);
}

TEST_CASE("users are told apart, and of many the later ones are told together") {
  Book book;
  const auto users = static_cast<uid_t>(Refusals::kMostUsers + 100);
  for (uid_t uid = 1; uid <= users; ++uid) {
    book.ask(uid, milliseconds(1));
    book.ask(uid, milliseconds(2));
  }
  CHECK(book.events.size() == Refusals::kMostUsers);
  book.refusals.close();
  REQUIRE(book.events.size() == 2 * Refusals::kMostUsers + 1);
  CHECK(book.told() == 2 * users);
  const AdminEvent& others = book.events.back();
  CHECK(others.requests == 200);
  CHECK_FALSE(others.actor.uid);
  CHECK(others.refusal == "these users may not change the firewall");
}

TEST_CASE("the next second ends the one before by itself") {
  Book book;
  for (const int when : {0, 10, 1500, 1510}) book.ask(7, milliseconds(when));
  REQUIRE(book.events.size() == 3);
  CHECK(book.events[1].requests == 1);  // the one at 10
  CHECK(book.events[2].change == "/v1/disable");
  book.refusals.close();
  CHECK(book.told() == 4);
}
