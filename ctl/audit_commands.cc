// fwctl audit: the log's accounts, and whether it is what was written.
#include "ctl/api/audit.h"
#include "ctl/command_list.h"
#include "ctl/command_parts.h"
#include "ctl/render.h"
#include "ctl/verify.h"

namespace ctl {
namespace {

constexpr std::string_view kSynopsis = "audit status|verify FILE...";

Result audit_status(const Context& context) {
  if (context.words.size() != 2) return usage("audit status");
  return answer<api::AuditReport>(context, {"GET", "/v1/audit", {}},
                                  [&](const api::AuditReport& report) {
                                    return Output{render_audit(report, context.look), {}, 0};
                                  });
}

Result audit_verify(const Context& context) {
  if (context.words.size() < 3) return usage("audit verify FILE...");
  const auto verified =
      verify_logs({context.words.begin() + 2, context.words.end()}, context.state);
  if (!verified) return std::unexpected(verified.error());
  const auto status = verified->intact ? api::ExitStatus::Done : api::ExitStatus::Refused;
  return Output{
      context.json ? api::encode(*verified) + '\n' : render_verified(*verified, context.look),
      {},
      static_cast<int>(status)};
}

}  // namespace

Result audit(const Context& context) {
  const std::string what = context.words.size() > 1 ? context.words[1] : std::string();
  if (what == "status") return audit_status(context);
  if (what == "verify") return audit_verify(context);
  return usage(kSynopsis);
}

}  // namespace ctl
