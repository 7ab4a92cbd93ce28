// SPDX-License-Identifier: MIT
// What runs inside emulation: block accounting, probes before single instructions, device access, faults.
#include <cstring>

#include "engine.h"

static uint32_t leadingZeros(uint32_t value) { return value == 0 ? 32 : static_cast<uint32_t>(__builtin_clz(value)); }

uint32_t divideCycles(uint32_t dividend, uint32_t divisor, bool isSigned) {
  uint32_t n = isSigned && static_cast<int32_t>(dividend) < 0 ? 0u - dividend : dividend;
  uint32_t d = isSigned && static_cast<int32_t>(divisor) < 0 ? 0u - divisor : divisor;
  if (d == 0 || n < d) return 2;
  uint32_t quotientBits = leadingZeros(d) - leadingZeros(n) + 1;
  return 4 + (quotientBits + 3) / 4;
}

Region *Engine::regionOf(uint32_t address) {
  if (lastRegion_ != nullptr && address - lastRegion_->start < lastRegion_->bytes) return lastRegion_;
  for (Region &region : regions_) {
    if (address - region.start < region.bytes) return lastRegion_ = &region;
  }
  return nullptr;
}

void Engine::halt(StopReason reason, uint32_t code, uint32_t address) {
  if (!halted_) {
    halted_ = true;
    reason_ = reason;
    stopCode_ = code;
    stopAddress_ = address;
  }
  uc_emu_stop(uc_);
}

/** The block's record, described first if it is unknown or its bytes have changed; null as describe(). */
inline Block *Engine::blockAt(Region &region, uint32_t address, uint32_t size) {
  Block *block = region.blocks[(address - region.start) >> 1];
  if (block != nullptr && block->end == address + size &&
      ((block->flags & kVerify) == 0 || memcmp(block->code.data(), region.host + (address - region.start), block->code.size()) == 0)) {
    return block;
  }
  return describe(region, address, size);
}

/** Before every block, translated code having just reached it. A block halted here is not counted and is hooked again on resume. */
void Engine::onBlock(uint32_t address, uint32_t size) {
  if (halted_ || restart_) {
    uc_emu_stop(uc_);
    return;
  }
  midBlock_ = false;
  Region *region = regionOf(address);
  if (region == nullptr) {
    accessType_ = UC_MEM_FETCH_UNMAPPED;
    accessAddress_ = address;
    halt(kError, UC_ERR_FETCH_UNMAPPED, address);
    return;
  }
  Block *block = blockAt(*region, address, size);
  if (block == nullptr) return;
  uint64_t cycles = cycles_;
  uint32_t state = 0;
  if (address == pending_->end) {
    state = pendingCost().next;
  } else {
    cycles += static_cast<int64_t>(pendingCost().takenCycles);
  }
  if (cycles >= cycleLimit_ || instructions_ >= instructionLimit_) {
    halt(kLimit, 0, address);
    return;
  }
  if ((block->flags & kMark) != 0) {
    auto mark = marks_.find(address);
    if (mark != marks_.end()) passMark(*mark->second, cycles, instructions_);
    if (halted_) return;
    block = blockAt(*region, address, size);  // the callback may have dropped all blocks
    if (block == nullptr) return;
  }
  if (state >= block->costs.size() || !block->costs[state].isKnown) {
    if (!costOf(*block, state)) return;
  }
  midBlock_ = true;
  pendingState_ = state;
  cycles_ = cycles + block->costs[state].cycles;
  instructions_ += block->instructions;
  pending_ = block;
}

/** Asks TypeScript what the block costs. Returns null when the block has to be translated again first, or on an exception. */
Block *Engine::describe(Region &region, uint32_t address, uint32_t size) {
  Napi::Env env = Env();
  Napi::HandleScope scope(env);
  uint32_t itState = 0;
  uint32_t xpsr = 0;
  if (uc_reg_read(uc_, UC_ARM_REG_XPSR, &xpsr) == UC_ERR_OK) itState = ((xpsr >> 25) & 3) | ((xpsr >> 8) & 0xfc);
  Napi::Value answer =
      describeBlock_.Call({Napi::Number::New(env, address), Napi::Number::New(env, size), Napi::Number::New(env, itState)});
  if (env.IsExceptionPending()) {
    keepException(env);
    return nullptr;
  }
  // [id, instructions, flags, (address, divide, stops, remaining instructions)*]
  Napi::Int32Array words = answer.As<Napi::Int32Array>();
  const int32_t *w = words.Data();
  blocks_.emplace_back();
  Block &block = blocks_.back();
  block.start = address;
  block.end = address + size;
  block.id = static_cast<uint32_t>(w[0]);
  block.instructions = static_cast<uint32_t>(w[1]);
  block.flags = static_cast<uint32_t>(w[2]);
  if (region.writable) {
    uint64_t offset = address - region.start;
    block.flags |= kVerify;
    block.code.assign(region.host + offset, region.host + offset + size);
  }
  region.blocks[(address - region.start) >> 1] = &block;
  installProbes(w + 3, (words.ElementLength() - 3) / 4, block);
  return restart_ ? nullptr : &block;
}

/** Asks TypeScript what the block costs in a state of the pipeline. False on an exception. */
bool Engine::costOf(Block &block, uint32_t state) {
  Napi::Env env = Env();
  Napi::HandleScope scope(env);
  Napi::Value answer = costOfBlock_.Call({Napi::Number::New(env, block.id), Napi::Number::New(env, state)});
  if (env.IsExceptionPending()) {
    keepException(env);
    return false;
  }
  // [cycles, takenCycles, next state, (extra cycles, remaining cycles)*]
  Napi::Int32Array words = answer.As<Napi::Int32Array>();
  const int32_t *w = words.Data();
  if (state >= block.costs.size()) block.costs.resize(state + 1);
  Cost &cost = block.costs[state];
  cost.isKnown = true;
  cost.cycles = static_cast<uint32_t>(w[0]);
  cost.takenCycles = w[1];
  cost.next = static_cast<uint32_t>(w[2]);
  for (size_t i = 3; i + 1 < words.ElementLength(); i += 2) {
    cost.probes.push_back({w[i], static_cast<uint32_t>(w[i + 1])});
  }
  return true;
}

static void probeHook(uc_engine *, uint64_t, uint32_t, void *user) {
  Probe &probe = *static_cast<Probe *>(user);
  probe.engine->onProbe(probe);
}

/** A probe takes effect only in code translated after it was added, hence the restart of the block it stands in. */
void Engine::installProbes(const int32_t *words, size_t count, Block &block) {
  for (auto &[address, probe] : probes_) {
    if (address < block.start || address >= block.end) continue;
    probe->divide = -1;
    probe->stops = false;
  }
  for (size_t i = 0; i < count; i++, words += 4) {
    uint32_t address = static_cast<uint32_t>(words[0]);
    block.probes.push_back({address, static_cast<uint32_t>(words[3])});
    std::unique_ptr<Probe> &probe = probes_[address];
    if (!probe) {
      probe = std::make_unique<Probe>();
      probe->engine = this;
      probe->address = address;
      if (uc_hook_add(uc_, &probe->hook, UC_HOOK_CODE, reinterpret_cast<void *>(probeHook), probe.get(), address, address) != UC_ERR_OK) {
        halt(kError, UC_ERR_RESOURCE, address);
        return;
      }
      restart_ = true;
    }
    probe->divide = words[1];
    probe->stops = words[2] != 0;
    auto mark = marks_.find(address);
    probe->mark = mark != marks_.end() ? mark->second.get() : nullptr;
  }
  if (restart_) {
    restartStart_ = block.start;
    restartEnd_ = block.end;
    uc_emu_stop(uc_);
  }
}

/** Before one instruction that has a probe, and only if its IT condition holds. */
void Engine::onProbe(Probe &probe) {
  if (halted_ || restart_) {
    if (halted_) stopAddress_ = probe.address;  // a callback asked to stop: this is as far as the block got
    probeStopped_ = true;
    uc_emu_stop(uc_);
    return;
  }
  const std::vector<ProbePlace> &places = pending_->probes;
  size_t index = 0;
  while (index < places.size() && places[index].address != probe.address) index++;
  const bool isKnown = index < places.size();
  const ProbeCost cost = isKnown ? pendingCost().probes[index] : ProbeCost();
  // A mark on a block's first instruction has been passed in the block hook; other blocks may run through the same address.
  if (probe.mark != nullptr && probe.address != pending_->start) {
    if (isKnown) passMark(*probe.mark, cycles_ - cost.remainingCycles, instructions_ - places[index].remainingInstructions);
    if (halted_) {
      probeStopped_ = true;
      return;
    }
  }
  if (probe.stops) {
    probeStopped_ = true;
    halt(kSpecial, 0, probe.address);
    return;
  }
  cycles_ += static_cast<int64_t>(cost.extraCycles);
  if (probe.divide >= 0) {
    uint32_t n = 0;
    uint32_t m = 0;
    uc_reg_read(uc_, registerId((probe.divide >> 4) & 15), &n);
    uc_reg_read(uc_, registerId(probe.divide & 15), &m);
    cycles_ += divideCycles(n, m, ((probe.divide >> 8) & 1) != 0);
  }
}

void Engine::passMark(Mark &mark, uint64_t cycles, uint64_t instructions) {
  if (resumedAtMark_ && mark.address == resumeAddress_) {
    resumedAtMark_ = false;
    return;
  }
  if (mark.records) {
    mark.log.push_back(static_cast<double>(cycles));
    mark.log.push_back(static_cast<double>(instructions));
  }
  if (!mark.callsBack) return;
  Napi::Env env = Env();
  Napi::HandleScope scope(env);
  markCallback_.Call({Napi::Number::New(env, mark.address), Napi::Number::New(env, static_cast<double>(cycles)),
                      Napi::Number::New(env, static_cast<double>(instructions))});
  if (env.IsExceptionPending()) keepException(env);
  if (halted_) {
    stopAddress_ = mark.address;
    stoppedAtMark_ = true;
  }
}

void Engine::onInterrupt(uint32_t number) { halt(kInterrupt, number, programCounter()); }

void Engine::onInvalidAccess(uc_mem_type type, uint64_t address, int size) {
  if (accessType_ >= 0) return;
  accessType_ = type;
  accessAddress_ = static_cast<uint32_t>(address);
  accessSize_ = static_cast<uint32_t>(size);
}

uint64_t Engine::onDeviceRead(Device &device, uint64_t offset, unsigned size) {
  // Code being fetched from a device for translation: the block hook ends the run before any of it executes.
  if (regionOf(programCounter()) == nullptr) return 0;
  Napi::Env env = Env();
  Napi::HandleScope scope(env);
  Napi::Value value =
      device.read.Call({Napi::Number::New(env, static_cast<double>(device.start + offset)), Napi::Number::New(env, size)});
  if (env.IsExceptionPending()) {
    keepException(env);
    return 0;
  }
  return value.As<Napi::Number>().Uint32Value();
}

void Engine::onDeviceWrite(Device &device, uint64_t offset, unsigned size, uint64_t value) {
  Napi::Env env = Env();
  Napi::HandleScope scope(env);
  device.write.Call({Napi::Number::New(env, static_cast<double>(device.start + offset)), Napi::Number::New(env, size),
                     Napi::Number::New(env, static_cast<double>(static_cast<uint32_t>(value)))});
  if (env.IsExceptionPending()) keepException(env);
}

/** JavaScript must not throw through libunicorn's frames: the exception is thrown when run() returns. */
void Engine::keepException(Napi::Env env) {
  Napi::Error error = env.GetAndClearPendingException();
  if (exception_.IsEmpty()) exception_ = Napi::Reference<Napi::Value>::New(error.Value(), 1);
  halt(kRequested, 0, programCounter());
}
