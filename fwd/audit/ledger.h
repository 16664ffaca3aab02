// The audit ledger in the state directory (ctl/api/audit_ledger.h has its layout), mapped into
// memory: what is counted here outlives the daemon however it ends. A worker raises its lane before
// it sends a verdict, the audit's writer notes what is in the file after each write.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "ctl/api/audit_ledger.h"
#include "fwd/system_error.h"

namespace fwd::audit {

class Ledger {
 public:
  // In memory alone, for who has no state directory.
  Ledger();
  // Maps the directory's ledger, and makes it where there is none. One that is damaged is begun
  // anew.
  static Result<Ledger> open(const std::string& directory);

  // Whether somebody has counted here before.
  bool continues() const;

  // The life that begin() has begun; before that, the one that another daemon left.
  const ctl::api::ledger::Life& life() const;
  ctl::api::ledger::Progress progress() const;

  // Begins a life: all lanes count from zero. Who is killed in the middle of it leaves the old one.
  void begin(const std::string& audit_path, const ctl::api::ledger::Totals& before,
             std::uint64_t owed, const ctl::api::ledger::Progress& progress);

  // Of the life that has begun.
  std::uint64_t& lane(std::size_t number);
  void note(const ctl::api::ledger::Progress& progress);

 private:
  struct Unmap {
    void operator()(ctl::api::ledger::File* file) const;
  };

  Result<void> map(int fd);
  ctl::api::ledger::Life& current() const;

  std::unique_ptr<ctl::api::ledger::File, Unmap> file_;
};

}  // namespace fwd::audit
