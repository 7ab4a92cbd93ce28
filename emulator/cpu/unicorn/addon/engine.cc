// SPDX-License-Identifier: MIT
// The JavaScript face of the engine: memory map, registers, run loop.
#include "engine.h"

#include <sys/mman.h>

#include <cstring>
#include <string>

int registerId(uint32_t number) {
  static const int kNamed[] = {UC_ARM_REG_SP,  UC_ARM_REG_LR,      UC_ARM_REG_PC,      UC_ARM_REG_XPSR,      UC_ARM_REG_FPSCR, UC_ARM_REG_MSP,
                               UC_ARM_REG_PSP, UC_ARM_REG_CONTROL, UC_ARM_REG_PRIMASK, UC_ARM_REG_FAULTMASK, UC_ARM_REG_BASEPRI};
  if (number < 13) return UC_ARM_REG_R0 + static_cast<int>(number);
  if (number < 24) return kNamed[number - 13];
  if (number >= 32 && number < 64) return UC_ARM_REG_S0 + static_cast<int>(number - 32);
  return UC_ARM_REG_INVALID;
}

static void blockHook(uc_engine *, uint64_t address, uint32_t size, void *user) {
  static_cast<Engine *>(user)->onBlock(static_cast<uint32_t>(address), size);
}

static void interruptHook(uc_engine *, uint32_t number, void *user) { static_cast<Engine *>(user)->onInterrupt(number); }

static bool invalidHook(uc_engine *, uc_mem_type type, uint64_t address, int size, int64_t, void *user) {
  static_cast<Engine *>(user)->onInvalidAccess(type, address, size);
  return false;
}

static uint64_t deviceRead(uc_engine *, uint64_t offset, unsigned size, void *user) {
  Device &device = *static_cast<Device *>(user);
  return device.engine->onDeviceRead(device, offset, size);
}

static void deviceWrite(uc_engine *, uint64_t offset, unsigned size, uint64_t value, void *user) {
  Device &device = *static_cast<Device *>(user);
  device.engine->onDeviceWrite(device, offset, size, value);
}

Engine::Engine(const Napi::CallbackInfo &info) : Napi::ObjectWrap<Engine>(info) {
  describeBlock_ = Napi::Persistent(info[0].As<Napi::Function>());
  costOfBlock_ = Napi::Persistent(info[1].As<Napi::Function>());
  markCallback_ = Napi::Persistent(info[2].As<Napi::Function>());
  idleBlock_.end = 0xffffffff;
  idleBlock_.costs.resize(1);
  pending_ = &idleBlock_;
  // UC_MODE_MCLASS would force a Cortex-M33; the model chosen below brings the M profile along.
  uc_err error = uc_open(UC_ARCH_ARM, UC_MODE_THUMB, &uc_);
  if (error == UC_ERR_OK) error = uc_ctl_set_cpu_model(uc_, UC_CPU_ARM_CORTEX_M4);
  if (error != UC_ERR_OK) {
    check(error, "uc_open");
    return;
  }
  uc_hook hook = 0;
  uc_hook_add(uc_, &hook, UC_HOOK_BLOCK, reinterpret_cast<void *>(blockHook), this, 1, 0);
  uc_hook_add(uc_, &hook, UC_HOOK_INTR, reinterpret_cast<void *>(interruptHook), this, 1, 0);
  uc_hook_add(uc_, &hook, UC_HOOK_MEM_INVALID, reinterpret_cast<void *>(invalidHook), this, 1, 0);
}

Engine::~Engine() { release(); }

void Engine::release() {
  if (uc_ != nullptr) uc_close(uc_);
  uc_ = nullptr;
  for (Region &region : regions_) {
    if (region.blocks != nullptr) munmap(region.blocks, (region.bytes / 2 + 1) * sizeof(Block *));
    region.blocks = nullptr;
  }
  describeBlock_.Reset();
  costOfBlock_.Reset();
  markCallback_.Reset();
  devices_.clear();
}

/** Throws when close() has been called: libunicorn does not check its handle. */
bool Engine::isClosed() {
  if (uc_ == nullptr) Napi::Error::New(Env(), "the engine is closed").ThrowAsJavaScriptException();
  return uc_ == nullptr;
}

void Engine::check(uc_err error, const char *what) {
  if (error == UC_ERR_OK) return;
  Napi::Error::New(Env(), std::string(what) + ": " + uc_strerror(error)).ThrowAsJavaScriptException();
}

/** mapMemory(start, bytes, writable): an ArrayBuffer over the guest's memory, unmapped when JavaScript drops it. */
Napi::Value Engine::mapMemory(const Napi::CallbackInfo &info) {
  if (isClosed()) return Env().Undefined();
  Region region;
  region.start = number(info, 0);
  region.bytes = static_cast<uint64_t>(real(info, 1));
  region.writable = flag(info, 2);
  void *host = mmap(nullptr, region.bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  void *table = mmap(nullptr, (region.bytes / 2 + 1) * sizeof(Block *), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (host == MAP_FAILED || table == MAP_FAILED) {
    Napi::Error::New(Env(), "mmap failed").ThrowAsJavaScriptException();
    return Env().Undefined();
  }
  region.host = static_cast<uint8_t *>(host);
  region.blocks = static_cast<Block **>(table);
  uint32_t rights = UC_PROT_READ | UC_PROT_EXEC | (region.writable ? UC_PROT_WRITE : 0);
  check(uc_mem_map_ptr(uc_, region.start, region.bytes, rights, host), "uc_mem_map_ptr");
  regions_.push_back(region);
  return Napi::ArrayBuffer::New(
      Env(), host, region.bytes, [](Napi::Env, void *data, size_t *bytes) {
        munmap(data, *bytes);
        delete bytes;
      },
      new size_t(region.bytes));
}

/** mapDevice(start, bytes, read(address, size), write(address, size, value)) */
Napi::Value Engine::mapDevice(const Napi::CallbackInfo &info) {
  if (isClosed()) return Env().Undefined();
  devices_.emplace_back();
  Device &device = devices_.back();
  device.engine = this;
  device.start = number(info, 0);
  device.read = Napi::Persistent(info[2].As<Napi::Function>());
  device.write = Napi::Persistent(info[3].As<Napi::Function>());
  check(uc_mmio_map(uc_, device.start, static_cast<size_t>(real(info, 1)), deviceRead, &device, deviceWrite, &device), "uc_mmio_map");
  return Env().Undefined();
}

Napi::Value Engine::readRegister(const Napi::CallbackInfo &info) {
  if (isClosed()) return Env().Undefined();
  uint32_t value = 0;
  check(uc_reg_read(uc_, registerId(number(info, 0)), &value), "uc_reg_read");
  return Napi::Number::New(Env(), value);
}

Napi::Value Engine::writeRegister(const Napi::CallbackInfo &info) {
  if (isClosed()) return Env().Undefined();
  uint32_t value = number(info, 1);
  check(uc_reg_write(uc_, registerId(number(info, 0)), &value), "uc_reg_write");
  return Env().Undefined();
}

uint32_t Engine::programCounter() {
  uint32_t pc = 0;
  uc_reg_read(uc_, UC_ARM_REG_PC, &pc);
  return pc & ~1u;
}

/** run(pc, cycleLimit, instructionLimit): [reason, code, stop address, access type, access address, access bytes, in mid-block]; see StopReason. */
Napi::Value Engine::run(const Napi::CallbackInfo &info) {
  Napi::Env env = info.Env();
  if (isClosed()) return env.Undefined();
  if (running_) {
    Napi::Error::New(env, "the engine is already running").ThrowAsJavaScriptException();
    return env.Undefined();
  }
  uint32_t pc = number(info, 0);
  cycleLimit_ = static_cast<uint64_t>(real(info, 1));
  instructionLimit_ = static_cast<uint64_t>(real(info, 2));
  resumedAtMark_ = stoppedAtMark_ && stopAddress_ == pc;
  resumeAddress_ = pc;
  stoppedAtMark_ = halted_ = probeStopped_ = midBlock_ = false;
  accessType_ = -1;
  accessAddress_ = accessSize_ = 0;
  running_ = true;
  uc_err error = UC_ERR_OK;
  do {
    restart_ = false;
    error = uc_emu_start(uc_, pc | 1, 0xffffffff, 0, 0);
    if (restart_) {
      uc_ctl_remove_cache(uc_, static_cast<uint64_t>(restartStart_), static_cast<uint64_t>(restartEnd_));
      pc = restartStart_;
    }
  } while (restart_ && !halted_);
  running_ = false;
  if (!exception_.IsEmpty()) {
    Napi::Value thrown = exception_.Value();
    exception_.Reset();
    napi_throw(env, thrown);
    return env.Undefined();
  }
  if (!halted_) {
    reason_ = kError;
    stopCode_ = error;
    stopAddress_ = programCounter();
  } else if (reason_ == kRequested && !stoppedAtMark_ && !probeStopped_) {
    // Asked for by a device callback: libunicorn has run the block to its end.
    stopAddress_ = programCounter();
    midBlock_ = false;
  }
  Napi::Float64Array answer = Napi::Float64Array::New(env, 7);
  answer[6] = midBlock_ ? 1 : 0;
  answer[0] = reason_;
  answer[1] = stopCode_;
  answer[2] = stopAddress_;
  answer[3] = accessType_;
  answer[4] = accessAddress_;
  answer[5] = accessSize_;
  return answer;
}

/** stop(): ends the run from inside a callback, at the latest at the end of the running block. */
Napi::Value Engine::stop(const Napi::CallbackInfo &info) {
  if (isClosed()) return Env().Undefined();
  halt(kRequested, 0, programCounter());
  return info.Env().Undefined();
}

Napi::Value Engine::close(const Napi::CallbackInfo &info) {
  if (!running_) release();
  return info.Env().Undefined();
}

Napi::Object Engine::define(Napi::Env env, Napi::Object exports) {
  exports["Engine"] = DefineClass(
      env, "Engine",
      {InstanceMethod("mapMemory", &Engine::mapMemory), InstanceMethod("mapDevice", &Engine::mapDevice),
       InstanceMethod("readRegister", &Engine::readRegister), InstanceMethod("writeRegister", &Engine::writeRegister),
       InstanceMethod("run", &Engine::run), InstanceMethod("stop", &Engine::stop), InstanceMethod("counters", &Engine::counters),
       InstanceMethod("addCounters", &Engine::addCounters), InstanceMethod("leaveBlock", &Engine::leaveBlock),
       InstanceMethod("setMark", &Engine::setMark), InstanceMethod("takeMarkLog", &Engine::takeMarkLog),
       InstanceMethod("forgetBlocks", &Engine::forgetBlocks), InstanceMethod("forgetCode", &Engine::forgetCode), InstanceMethod("close", &Engine::close)});
  return exports;
}

static Napi::Value jsDivideCycles(const Napi::CallbackInfo &info) {
  return Napi::Number::New(info.Env(), divideCycles(number(info, 0), number(info, 1), flag(info, 2)));
}

static Napi::Value jsVersion(const Napi::CallbackInfo &info) {
  unsigned packed = uc_version(nullptr, nullptr);
  std::string text = std::to_string(packed >> 24) + "." + std::to_string((packed >> 16) & 255) + "." + std::to_string((packed >> 8) & 255);
  return Napi::String::New(info.Env(), text);
}

static Napi::Object init(Napi::Env env, Napi::Object exports) {
  exports["version"] = Napi::Function::New(env, jsVersion);
  exports["divideCycles"] = Napi::Function::New(env, jsDivideCycles);
  return Engine::define(env, exports);
}

NODE_API_MODULE(thumbelina_unicorn, init)
