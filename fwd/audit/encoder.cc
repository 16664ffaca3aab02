#include "fwd/audit/encoder.h"

#include <utility>

#include "fwd/audit/ecs.h"
#include "fwd/audit/eve.h"

namespace fwd::audit {

std::unique_ptr<Encoder> make_encoder(Format format, std::string_view hostname,
                                      InterfaceNames interface_names) {
  switch (format) {
    case Format::Ecs:
      return std::make_unique<EcsEncoder>(hostname, std::move(interface_names));
    case Format::Eve:
      return std::make_unique<EveEncoder>(hostname, std::move(interface_names));
  }
  __builtin_unreachable();
}

}  // namespace fwd::audit
