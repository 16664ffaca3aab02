#include "fwd/audit/ledger.h"

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <new>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "fwd/unique_fd.h"

namespace fwd::audit {
namespace {

using ctl::api::ledger::File;
using ctl::api::ledger::Life;
using ctl::api::ledger::Progress;

constexpr mode_t kMode = 0640;

// The other of two slots holds from here on.
void turn(std::uint64_t& which, std::uint64_t slot) {
  std::atomic_ref(which).store(slot, std::memory_order_release);
}

std::uint64_t turned(std::uint64_t& which) {
  return std::atomic_ref(which).load(std::memory_order_acquire) & 1U;
}

bool sound(const File& file) {
  return file.magic == ctl::api::ledger::kMagic && file.size == sizeof(File);
}

}  // namespace

void Ledger::Unmap::operator()(File* file) const {
  munmap(file, sizeof(File));
}

Ledger::Ledger() {
  if (!map(-1)) throw std::bad_alloc();
}

Result<void> Ledger::map(int fd) {
  const int flags = fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;
  void* const memory = mmap(nullptr, sizeof(File), PROT_READ | PROT_WRITE, flags, fd, 0);
  if (memory == MAP_FAILED) return failed("map the audit ledger");
  file_.reset(static_cast<File*>(memory));
  return {};
}

// Its blocks are taken at once: a disk that is full later would be a signal, not an error.
Result<Ledger> Ledger::open(const std::string& directory) {
  const std::string path = directory + "/" + ctl::api::ledger::kFileName;
  const UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, kMode));
  if (!fd.valid()) return failed("open " + path);
  struct stat status {};
  if (fstat(fd.get(), &status) != 0) return failed("look at " + path);
  if (!S_ISREG(status.st_mode)) return failed(path + " is not a regular file", 0);
  if (const int error = posix_fallocate(fd.get(), 0, sizeof(File)); error != 0)
    return failed("make room for " + path, error);
  Ledger ledger;
  if (auto mapped = ledger.map(fd.get()); !mapped) return std::unexpected(mapped.error());
  if (!sound(*ledger.file_)) *ledger.file_ = File{};
  return ledger;
}

bool Ledger::continues() const {
  return sound(*file_);
}

Life& Ledger::current() const {
  return file_->lives[turned(file_->which)];
}

const Life& Ledger::life() const {
  return current();
}

Progress Ledger::progress() const {
  Life& life = current();
  return life.progress[turned(life.which)];
}

void Ledger::begin(const std::string& audit_path, const ctl::api::ledger::Totals& before,
                   std::uint64_t owed, const Progress& progress) {
  const std::uint64_t next = 1 - turned(file_->which);
  Life& life = file_->lives[next];
  life = Life{};
  life.before = before;
  life.owed = owed;
  life.progress[0] = progress;
  file_->path = {};
  const std::string path = std::filesystem::absolute(audit_path).lexically_normal();
  std::copy_n(path.begin(), std::min(path.size(), file_->path.size() - 1), file_->path.begin());
  file_->size = sizeof(File);
  turn(file_->which, next);
  file_->magic = ctl::api::ledger::kMagic;
}

std::uint64_t& Ledger::lane(std::size_t number) {
  return current().lanes.at(number).decided;
}

void Ledger::note(const Progress& progress) {
  Life& life = current();
  const std::uint64_t next = 1 - turned(life.which);
  life.progress[next] = progress;
  turn(life.which, next);
}

}  // namespace fwd::audit
