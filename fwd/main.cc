#include "fwd/boot.h"
#include "fwd/daemon.h"
#include "fwd/oneshot.h"
#include "fwd/options.h"

int main(int argc, char** argv) {
  const auto options = fwd::parse_options(argc, argv);
  if (!options) return options.error();
  if (options->check) return fwd::check(*options);
  if (options->disable) return fwd::disable(*options);
  if (options->load_kernel_only) return fwd::load_kernel_only(*options);
  return fwd::run_daemon(*options);
}
