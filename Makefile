# Everything is built below $(BUILD); one object tree per flavour (build/obj, build/asan/obj, ...).
#   make                the daemon and the CLI: build/fwd, build/fwctl
#   make check          every test: unit, integration, sanitizers, layers, lint
#   V=1                 show the commands; BUILD=DIR build elsewhere

BUILD   ?= build
PREFIX  ?= /usr
DESTDIR ?=
VERSION := 0.1.0

CXX      ?= g++
CXXFLAGS ?= -O2 -g
WARNINGS := -Wall -Wextra -Wconversion -Wshadow -Werror
PACKAGES := libnetfilter_queue libmnl libnftnl libnetfilter_conntrack spdlog fmt libmicrohttpd libsystemd libcap-ng libcrypto
CPPFLAGS += -I. -DFWD_VERSION='"$(VERSION)"' -DSPDLOG_FMT_EXTERNAL -MMD -MP $(shell pkg-config --cflags $(PACKAGES))
FLAVOUR  ?=
ALL_CXXFLAGS = -std=c++23 -pthread -fno-plt $(WARNINGS) $(CXXFLAGS) $(FLAVOUR)
LDLIBS := $(shell pkg-config --libs $(PACKAGES)) -pthread

Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-4s %s\n' $(1) $(2))

OBJ := $(BUILD)/obj
objects = $(patsubst %.cc,$(OBJ)/%.o,$(1))

# main.cc holds only main(): everything else of a program can be linked into tests.
RULES   := $(wildcard rules/*.cc)
API     := $(wildcard ctl/api/*.cc)
CTL     := $(filter-out ctl/main.cc,$(wildcard ctl/*.cc)) $(API)
FWD     := $(filter-out fwd/main.cc,$(wildcard fwd/*.cc fwd/*/*.cc))
SUPPORT := $(wildcard tests/support/*.cc)
BENCHES := $(patsubst tests/bench/%.cc,%,$(wildcard tests/bench/*_bench.cc))
TESTED  := rules ctl fwd
TESTS   := $(TESTED:%=$(BUILD)/tests/%_test)

.DEFAULT_GOAL := all
.PHONY: all check unit integration bench demo lint layers fuzz asan tsan coverage install deb clean format

all: $(BUILD)/fwd $(BUILD)/fwctl

$(BUILD)/fwd: $(call objects,fwd/main.cc $(FWD) $(API) $(RULES))
$(BUILD)/fwctl: $(call objects,ctl/main.cc $(CTL) $(RULES))
$(BUILD)/tests/rules_test: $(call objects,tests/main.cc $(wildcard tests/rules/*.cc) $(SUPPORT) $(RULES))
$(BUILD)/tests/ctl_test: $(call objects,tests/main.cc $(wildcard tests/ctl/*.cc) $(SUPPORT) $(CTL) $(RULES))
$(BUILD)/tests/fwd_test: $(call objects,tests/main.cc $(wildcard tests/fwd/*.cc tests/fwd/*/*.cc) $(SUPPORT) $(FWD) $(API) $(RULES))
$(BUILD)/bench/%: $(OBJ)/tests/bench/%.o $(call objects,$(SUPPORT) $(FWD) $(API) $(RULES))
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CXX) $(ALL_CXXFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(BUILD)/fwd $(BUILD)/fwctl $(TESTS):
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CXX) $(ALL_CXXFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(OBJ)/%.o: %.cc
	@mkdir -p $(@D)
	$(call say,CXX,$<)
	$(Q)$(CXX) $(CPPFLAGS) $(ALL_CXXFLAGS) -c -o $@ $<

unit: $(TESTS)
	$(Q)for test in $^; do $$test || exit 1; done

asan: ; $(Q)$(MAKE) --no-print-directory BUILD=$(BUILD)/asan FLAVOUR='-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer' all unit
tsan: ; $(Q)$(MAKE) --no-print-directory BUILD=$(BUILD)/tsan FLAVOUR='-fsanitize=thread -fno-omit-frame-pointer' all unit

clean: ; $(Q)rm -rf $(BUILD)

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
