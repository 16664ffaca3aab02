# Everything is built below $(BUILD), one tree per flavour: build, build/asan, build/tsan, build/coverage.
#   make            build/fwd and build/fwctl
#   make check      layers, unit and integration tests under the sanitizers
#   V=1             show the commands
#   BUILD=DIR       build elsewhere

BUILD   ?= build
PREFIX  ?= /usr
DESTDIR ?=
VERSION := 0.1.0

CXX         ?= g++
CXXFLAGS    ?= -O2 -g
# Debian's default clang, 14, has no std::expected. Each version of clang-format lays out code in its own way.
CLANGXX      ?= clang++-19
CLANG_TIDY   ?= clang-tidy-19
CLANG_FORMAT ?= clang-format-14
WARNINGS    := -Wall -Wextra -Wconversion -Wshadow -Werror
FLAVOUR     ?=

PACKAGES := libnetfilter_queue libmnl libnftnl libnetfilter_conntrack spdlog fmt libmicrohttpd libcap-ng nettle zlib simdjson
override CPPFLAGS += -I. -DFWD_VERSION='"$(VERSION)"' -DSPDLOG_FMT_EXTERNAL -MMD -MP
ALL_CXXFLAGS = -std=c++23 -pthread $(WARNINGS) $(CXXFLAGS) $(FLAVOUR)
ALL_LDFLAGS  = -Wl,--as-needed $(LDFLAGS)
LDLIBS       = $(shell pkg-config --libs $(PACKAGES)) -pthread

Q    := $(if $(V),,@)
say   = $(if $(V),,@printf '  %-4s %s\n' $(1) $(2))
submake = $(Q)+$(MAKE) --no-print-directory

# main.cc holds only main(), and operator_new.cc what a test replaces: everything else of a program can be linked into tests.
MEMORY  := rules/operator_new.cc
RULES   := $(filter-out $(MEMORY),$(wildcard rules/*.cc rules/*/*.cc))
API     := $(wildcard ctl/api/*.cc)
CTL     := $(filter-out ctl/main.cc,$(wildcard ctl/*.cc ctl/*/*.cc))
FWD     := $(filter-out fwd/main.cc,$(wildcard fwd/*.cc fwd/*/*.cc))
SUPPORT := $(wildcard tests/support/*.cc)
# What has several threads, or shares memory with some: ThreadSanitizer's part of fwd_test.
THREADED := $(wildcard tests/fwd/engine/*.cc tests/fwd/policy/*.cc) $(patsubst %,tests/fwd/%_test.cc,audit/drain \
  audit/ledger audit/ring audit/writer background_job control/server event_loop keep_alive kernel/table)
TESTS   := $(patsubst %,$(BUILD)/tests/%_test,rules classifier ctl fwd)
BENCHES := $(patsubst %.cc,$(BUILD)/%,$(wildcard tests/bench/*_bench.cc tests/bench/*_tool.cc))
TOOLS   := $(patsubst %.cc,$(BUILD)/%,$(wildcard tests/integration/*_tool.cc))
FUZZERS := $(patsubst %.cc,$(BUILD)/%,$(wildcard tests/fuzz/*_fuzz.cc))
# FOLDERS=1, for the sanitizers, compiles all sources of a folder together, in a third of the time: headers are read once. What stays
# apart: tests, which all call their helpers alike; what is for one kind of processor; and nft_batch.cc, from which libnfnetlink's
# headers would hide the kernel's.
APART    := tests/% rules/classifier/% fwd/kernel/nft_batch.cc $(MEMORY) %/main.cc
together  = $(if $(FOLDERS),$(filter-out $(APART),$(1)))
objects   = $(patsubst %.cc,$(BUILD)/obj/%.o,$(filter-out $(call together,$(1)),$(1))) \
  $(patsubst %,$(BUILD)/obj/%all.o,$(sort $(dir $(call together,$(1)))))

.DEFAULT_GOAL := all
.PHONY: all check unit integration bench demo lint format format-check man-check layers fuzz asan tsan coverage install deb clean
.SECONDARY:

all: $(BUILD)/fwd $(BUILD)/fwctl

$(BUILD)/fwd: $(call objects,fwd/main.cc $(MEMORY) $(FWD) $(API) $(RULES))
$(BUILD)/fwctl: $(call objects,ctl/main.cc $(MEMORY) $(CTL) $(RULES))
$(BUILD)/tests/rules_test: $(call objects,tests/main.cc $(wildcard tests/rules/*.cc) $(SUPPORT) $(RULES))
$(BUILD)/tests/classifier_test: $(call objects,tests/main.cc $(wildcard tests/rules/classifier/*.cc) $(SUPPORT) $(RULES))
$(BUILD)/tests/ctl_test: $(call objects,tests/main.cc $(wildcard tests/ctl/*.cc tests/ctl/*/*.cc) $(SUPPORT) $(CTL) $(RULES))
$(BUILD)/tests/threads_test: $(call objects,tests/main.cc $(THREADED) $(SUPPORT) $(FWD) $(API) $(RULES))
$(BUILD)/tests/fwd_test: $(call objects,tests/main.cc $(wildcard tests/fwd/*.cc tests/fwd/*/*.cc) $(SUPPORT) $(FWD) $(API) $(RULES))
$(BENCHES) $(TOOLS): $(BUILD)/%: $(BUILD)/obj/%.o $(call objects,$(SUPPORT) $(FWD) $(API) $(RULES))
$(FUZZERS): $(BUILD)/%: $(BUILD)/obj/%.o $(call objects,$(RULES))
$(BUILD)/tests/bench/classifier_bench: $(call objects,$(addprefix tests/bench/,dpdk_acl.cc hard_sets.cc simd_scan.cc))

# DPDK's classifier is measured where Debian's libdpdk-dev is installed.
ifeq ($(shell pkg-config --exists libdpdk && echo yes),yes)
$(BUILD)/obj/tests/bench/dpdk_acl.o: CPPFLAGS += -DFWD_HAVE_DPDK $(subst -I,-isystem ,$(shell pkg-config --cflags libdpdk))
$(BUILD)/tests/bench/classifier_bench: LDLIBS += -lrte_acl -lrte_eal
endif

$(BUILD)/fwd $(BUILD)/fwctl $(TESTS) $(BUILD)/tests/threads_test $(BENCHES) $(TOOLS) $(FUZZERS):
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CXX) $(ALL_CXXFLAGS) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $(LDLIBS)

$(BUILD)/obj/%.o: %.cc
	@mkdir -p $(@D)
	$(call say,CXX,$<)
	$(Q)$(CXX) $(CPPFLAGS) $(ALL_CXXFLAGS) -c -o $@ $<

define compile_together
$(BUILD)/obj/$(1)all.o: $(call together,$(wildcard $(1)*.cc))
	@mkdir -p $$(@D)
	$$(call say,CXX,'$(1)*.cc')
	@printf '#include "%s"\n' $(call together,$(wildcard $(1)*.cc)) >$$(@:.o=.cc)
	$$(Q)$$(CXX) $$(CPPFLAGS) $$(ALL_CXXFLAGS) -c -o $$@ $$(@:.o=.cc)
endef
$(foreach folder,$(sort $(dir $(call together,$(RULES) $(CTL) $(FWD)))),$(eval $(call compile_together,$(folder))))

# Catch2's own main is large, and nothing of ours: neither optimised nor instrumented. But for threads: the linker may take
# its copy of shared_ptr's counting for all.
$(BUILD)/obj/tests/main.o: Makefile
$(BUILD)/obj/tests/main.o: ALL_CXXFLAGS = -std=c++23 -O0 $(filter -fsanitize=thread,$(FLAVOUR))

# To check the tests themselves for undefined behaviour would take a third of the time that they take to compile.
$(BUILD)/obj/tests/%: ALL_CXXFLAGS += $(if $(findstring undefined,$(FLAVOUR)),-fno-sanitize=undefined)

# To read Catch2's header takes about a second of each test: it is read once.
CATCH := $(BUILD)/obj/tests/catch.h
$(CATCH).gch: Makefile
	@mkdir -p $(@D)
	$(call say,CXX,$@)
	@echo '#include <catch2/catch.hpp>' >$(CATCH)
	$(Q)$(CXX) $(CPPFLAGS) $(ALL_CXXFLAGS) -x c++-header -o $@ $(CATCH)
CASES := $(call objects,$(foreach part,rules ctl fwd,$(wildcard tests/$(part)/*.cc tests/$(part)/*/*.cc)))
$(CASES): $(CATCH).gch
$(CASES): private ALL_CXXFLAGS += -include $(CATCH) -Winvalid-pch

# --- tests ---------------------------------------------------------------------------------------------------

unit: $(TESTS)
	$(Q)tests/run $^

integration: all $(TOOLS)
	$(Q)tests/run --programs $(BUILD) --integration

# Everything with sanitizers, the programs under real packets too; what is shipped runs in the demo. Each flavour takes
# minutes to build, so the second one is built while the integration tests wait. tests/run prints the last line.
check: layers asan-build
	$(Q)tests/run --programs $(BUILD)/asan --integration $(ASAN_TESTS) \
	  --later '$(BUILD_TSAN)' $(TSAN_TESTS)
# Not in the recipe itself: make -n would run that.
BUILD_TSAN = MAKEFLAGS= $(MAKE) --no-print-directory -j$(shell nproc) BUILD=$(BUILD) tsan-build

# At -O1 the sanitized trees take three times as long to build. Where the program isn't moved in memory (-no-pie) it starts in
# half the time, and the tests start fwctl again and again.
ASAN := BUILD=$(BUILD)/asan FOLDERS=1 LDFLAGS=-no-pie FLAVOUR='-O0 -g1 -Wno-maybe-uninitialized -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer'
TSAN := BUILD=$(BUILD)/tsan FOLDERS=1 LDFLAGS=-no-pie FLAVOUR='-O0 -g1 -Wno-tsan -fsanitize=thread -fno-omit-frame-pointer'
ASAN_TESTS := $(TESTS:$(BUILD)/%=$(BUILD)/asan/%)
ASAN_PROGRAMS := $(patsubst $(BUILD)/%,$(BUILD)/asan/%,$(BUILD)/fwd $(BUILD)/fwctl $(TOOLS))
TSAN_TESTS := $(patsubst %,$(BUILD)/tsan/tests/%_test,classifier threads)
.PHONY: asan-build tsan-build
asan-build: ; $(submake) $(ASAN) $(ASAN_PROGRAMS) $(ASAN_TESTS)
tsan-build: ; $(submake) $(TSAN) $(TSAN_TESTS)
asan: asan-build ; $(Q)tests/run --programs $(BUILD)/asan --integration $(ASAN_TESTS)
tsan: tsan-build ; $(Q)tests/run $(TSAN_TESTS)

coverage:
	$(submake) BUILD=$(BUILD)/coverage FLAVOUR='-O0 --coverage' unit
	$(Q)gcovr --root . --object-directory $(BUILD)/coverage --filter 'rules/' --filter 'fwd/' --filter 'ctl/'

# Clang's libFuzzer, SECONDS for each. It adds to the first corpus, below $(BUILD), and starts from the second one too,
# which the unit tests replay. GCC 12's library uses what it calls deprecated itself (stable_sort), and what is compared side
# by side is meant to be evaluated whole.
SECONDS ?= 60
FUZZ := BUILD=$(BUILD)/fuzz CXX=$(CLANGXX) LDFLAGS=-fsanitize=fuzzer \
  FLAVOUR='-O1 -g1 -Wno-deprecated-declarations -Wno-bitwise-instead-of-logical -Wno-unknown-warning-option -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all'
fuzz:
	$(submake) $(FUZZ) $(FUZZERS:$(BUILD)/%=$(BUILD)/fuzz/%)
	$(Q)for name in $(patsubst %_fuzz,%,$(notdir $(FUZZERS))); do \
	  log=$(BUILD)/fuzz/$$name.log; mkdir -p $(BUILD)/fuzz/corpus/$$name; \
	  $(BUILD)/fuzz/tests/fuzz/$${name}_fuzz -max_total_time=$(SECONDS) -verbosity=0 -print_final_stats=1 \
	    -artifact_prefix=$(BUILD)/fuzz/ $(BUILD)/fuzz/corpus/$$name tests/fuzz/corpus/$$name >$$log 2>&1 || \
	    { cat $$log; exit 1; }; \
	  sed -n "s/^stat::number_of_executed_units: */$$name: inputs tried: /p" $$log; \
	done

# --- rules of the house --------------------------------------------------------------------------------------

SOURCES := $(shell git ls-files '*.cc' '*.h' 2>/dev/null)
TIDIED  := $(patsubst %.cc,$(BUILD)/tidy/%.ok,$(filter %.cc,$(SOURCES)))

layers: ; $(Q)tests/layers
format: ; $(Q)$(CLANG_FORMAT) -i $(SOURCES)
format-check: ; $(Q)$(CLANG_FORMAT) --dry-run --Werror $(SOURCES)
man-check: ; $(Q)mandoc -T lint -W warning $(wildcard man/*.5 man/*.8)
lint: layers format-check man-check $(TIDIED)

# Seconds per file: what was clean is looked at again only when it, a header of it or the list of checks is changed.
$(BUILD)/tidy/%.ok: %.cc .clang-tidy tests/.clang-tidy
	@mkdir -p $(@D)
	$(call say,TIDY,$<)
	$(Q)$(CLANG_TIDY) --quiet $< -- -std=c++23 $(filter-out -MMD,$(CPPFLAGS)) 2>$(@:.ok=.log) || { cat $(@:.ok=.log); exit 1; }
	$(Q)$(CXX) -std=c++23 $(filter-out -MMD,$(CPPFLAGS)) -MM -MT $@ -MF $(@:.ok=.d) $<
	$(Q)touch $@

# --- what a person runs --------------------------------------------------------------------------------------

demo: all ; $(Q)tests/lab/demo.py --programs $(BUILD)
bench: all $(BENCHES)
	$(Q)tests/bench/run.py --programs $(BUILD) $(if $(QUICK),--quick)

MONITORING := $(filter-out %/check_fwd,$(wildcard monitoring/*.md monitoring/*/*))
install: all
	install -D -m 755 $(BUILD)/fwd $(DESTDIR)$(PREFIX)/sbin/fwd
	install -D -m 755 $(BUILD)/fwctl $(DESTDIR)$(PREFIX)/bin/fwctl
	install -d $(DESTDIR)$(PREFIX)/share/man/man5 $(DESTDIR)$(PREFIX)/share/man/man8
	$(foreach page,$(wildcard man/*.5 man/*.8),install -m 644 $(page) $(DESTDIR)$(PREFIX)/share/man/man$(subst .,,$(suffix $(page))) &&) true
	install -d $(DESTDIR)$(PREFIX)/share/doc/fwd
	install -m 644 README.md ARCHITECTURE.md $(DESTDIR)$(PREFIX)/share/doc/fwd
	$(foreach file,$(MONITORING),install -D -m 644 $(file) $(DESTDIR)$(PREFIX)/share/doc/fwd/examples/$(file) &&) true
	install -D -m 755 monitoring/nagios/check_fwd $(DESTDIR)$(PREFIX)/lib/nagios/plugins/check_fwd

deb:
	dpkg-buildpackage -us -uc -b
	@mkdir -p $(BUILD)
	mv ../fwd_$(VERSION)_*.deb ../fwd_$(VERSION)_*.buildinfo ../fwd_$(VERSION)_*.changes $(BUILD)

clean: ; $(Q)rm -rf $(BUILD)

-include $(shell find $(BUILD)/obj $(BUILD)/tidy -name '*.d' 2>/dev/null)
