// The rules of a policy in order, and where each is written. To copy a list costs nothing until one of the two is
// changed; also then they share the rules that both have, and that it is the same rule shows by its pointer.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "rules/rule_id.h"

namespace rules {

struct Rule;

// A rule's statement in the texts of a policy.
struct Written {
  std::uint32_t line = 0;    // from 1; 0 where there is none
  std::uint32_t offset = 0;  // of its first byte, in its text
  std::uint32_t length = 0;  // in bytes, without a comment at its end
  std::uint32_t source = 0;  // 0: the main file; else so many of the includes, from 1
};

class RuleList {
 public:
  using value_type = Rule;
  using Shared = std::shared_ptr<const Rule>;

  class Iterator {
   public:
    using iterator_category = std::random_access_iterator_tag;
    using value_type = Rule;
    using difference_type = std::ptrdiff_t;
    using pointer = const Rule*;
    using reference = const Rule&;

    Iterator() = default;
    Iterator(const RuleList* list, difference_type at) : list_{list}, at_{at} {}

    reference operator*() const { return (*list_)[static_cast<std::size_t>(at_)]; }
    pointer operator->() const { return &**this; }
    reference operator[](difference_type n) const { return *(*this + n); }
    Iterator& operator+=(difference_type n) {
      at_ += n;
      return *this;
    }
    Iterator& operator-=(difference_type n) { return *this += -n; }
    Iterator& operator++() { return *this += 1; }
    Iterator& operator--() { return *this += -1; }
    Iterator operator++(int) { return std::exchange(*this, *this + 1); }
    Iterator operator--(int) { return std::exchange(*this, *this - 1); }
    friend Iterator operator+(Iterator one, difference_type n) { return one += n; }
    friend Iterator operator+(difference_type n, Iterator one) { return one += n; }
    friend Iterator operator-(Iterator one, difference_type n) { return one -= n; }
    friend difference_type operator-(const Iterator& one, const Iterator& other) {
      return one.at_ - other.at_;
    }
    friend bool operator==(const Iterator& one, const Iterator& other) {
      return one.at_ == other.at_;
    }
    friend auto operator<=>(const Iterator& one, const Iterator& other) {
      return one.at_ <=> other.at_;
    }

   private:
    const RuleList* list_ = nullptr;
    difference_type at_ = 0;
  };

  RuleList() = default;
  RuleList(std::vector<Rule> rules);
  RuleList(std::initializer_list<Rule> rules);

  std::size_t size() const { return entries_->rules.size(); }
  bool empty() const { return entries_->rules.empty(); }
  const Rule& operator[](std::size_t index) const { return *entries_->rules[index].rule; }
  const Rule& at(std::size_t index) const { return *entries_->rules.at(index).rule; }
  const Rule& front() const { return *entries_->rules.front().rule; }
  const Rule& back() const { return *entries_->rules.back().rule; }
  const Shared& shared(std::size_t index) const { return entries_->rules[index].rule; }
  const Written& written(std::size_t index) const { return entries_->rules[index].written; }
  std::optional<std::size_t> index_of(const RuleId& id) const;  // of the first
  std::size_t limits() const { return entries_->limits; }       // how many rules have a rate
  // Of each rule its id's number, 0 where that is a name. Side by side, as the next: who looks at all rules mostly needs
  // none of them.
  std::span<const std::uint64_t> keys() const { return entries_->keys; }
  // The first rule from there on of which the key doesn't tell all: with a comment, a log clause or a name. size() where there is none.
  std::size_t next_that_says_more(std::size_t index) const;
  Iterator begin() const { return {this, 0}; }
  Iterator end() const { return {this, static_cast<std::ptrdiff_t>(size())}; }

  void push_back(Rule rule, const Written& written = {});
  void insert(std::size_t index, Rule rule, const Written& written = {});
  void replace(std::size_t index, Rule rule, const Written& written = {});
  void erase(std::size_t index);
  // With the line of the main file that it is written on: what is written from there on moves by that line's bytes.
  void insert_line(std::size_t index, Rule rule, const Written& written, std::ptrdiff_t bytes);
  // What is written in the main file from that line on moves by as many lines and bytes.
  void move_written(std::size_t from_line, std::ptrdiff_t lines, std::ptrdiff_t bytes);

 private:
  struct Entry {
    Shared rule;
    Written written;
  };
  struct Entries {
    std::vector<Entry> rules;
    std::vector<std::uint64_t> keys;     // of each
    std::vector<std::uint8_t> say_more;  // likewise: 0 or 1
    std::size_t limits = 0;
  };

  Entries& own();

  std::shared_ptr<Entries> entries_ = std::make_shared<Entries>();  // maybe another list's too
};

}  // namespace rules
