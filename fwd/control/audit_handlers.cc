// The audit log's accounts.
#include <filesystem>

#include "ctl/api/audit.h"
#include "ctl/api/codec.h"
#include "fwd/control/handlers.h"

namespace fwd::control {
namespace {

namespace api = ctl::api;

std::uint64_t free_bytes(const std::string& file) {
  std::error_code error;
  const auto space = std::filesystem::space(std::filesystem::path(file).parent_path(), error);
  return error ? 0 : space.available;
}

}  // namespace

Answer get_audit(const Context& context, const Request&) {
  const audit::LogState log = context.audit_state();
  const audit::Counters& now = log.counters;
  const auto& before = log.before;
  std::vector<api::AuditOutput> outputs;
  for (const audit::OutputState& output : log.outputs) {
    outputs.push_back(
        {output.name, output.path, output.sent, output.missed, output.waiting, output.trouble});
  }
  return api::encode(
      api::AuditReport{.file = context.audit_file,
                       .sequence = log.end.sequence,
                       .hash = std::string(api::text(log.end.hash)),
                       .counts = {before.decided + now.decided, before.written + now.written,
                                  before.folded + now.folded, before.lost + now.lost, now.waiting},
                       .since_start = {now.decided, now.written, now.folded, now.lost, now.waiting},
                       .bytes_free = free_bytes(context.audit_file),
                       .trouble = log.trouble,
                       .outputs = std::move(outputs)});
}

}  // namespace fwd::control
