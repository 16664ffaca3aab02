// The rules of a policy in order. Lists that differ in a few rules share the others: to copy one costs some bytes a
// rule, and that two lists have the same rule shows by its pointer.
#pragma once

#include <compare>
#include <cstddef>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "rules/diagnostic.h"

namespace rules {

struct Rule;

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

  std::size_t size() const { return entries_.size(); }
  bool empty() const { return entries_.empty(); }
  const Rule& operator[](std::size_t index) const { return *entries_[index].rule; }
  const Rule& at(std::size_t index) const { return *entries_.at(index).rule; }
  const Rule& front() const { return *entries_.front().rule; }
  const Rule& back() const { return *entries_.back().rule; }
  const Shared& shared(std::size_t index) const { return entries_[index].rule; }
  Iterator begin() const { return {this, 0}; }
  Iterator end() const { return {this, static_cast<std::ptrdiff_t>(size())}; }

  // Where the rule is written. Its line is the list's to know, because an edit above it changes that alone.
  Location where(std::size_t index) const;
  std::size_t line(std::size_t index) const { return entries_[index].line; }

  // With the line of the rule's `written`.
  void push_back(Rule rule);
  void insert(std::size_t index, Rule rule);
  void replace(std::size_t index, Rule rule);
  void erase(std::size_t index);
  // For all rules of that file from that line on.
  void move_lines(std::string_view file, std::size_t from, std::ptrdiff_t by);

 private:
  struct Entry {
    Shared rule;
    std::size_t line;
  };
  static Entry entry(Rule rule);

  std::vector<Entry> entries_;
};

}  // namespace rules
