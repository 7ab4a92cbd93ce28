// SPDX-License-Identifier: MIT
// One Cortex-M4 on libunicorn with cycle accounting done natively, in the block hook: calling JavaScript for every block costs
// a factor of four (80 ns a call), so TypeScript is asked once per block what it costs and the answer is kept by address.
// libunicorn 2.0.1 has no exceptions, NVIC or cycle model for this core; what it gets wrong is listed in the README.
#pragma once
#include <napi.h>
#include <unicorn/unicorn.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <unordered_map>
#include <vector>

/** What an instruction with a probe adds when it runs, and what its block is charged from it on. */
struct ProbeCost {
  int32_t extraCycles = 0;
  uint32_t remainingCycles = 0;
};

/** What one execution of a block costs in one state of the pipeline; filled in by TypeScript at first sight. */
struct Cost {
  bool isKnown = false;
  uint32_t cycles = 0;
  int32_t takenCycles = 0;  // added when control goes elsewhere than to its end
  uint32_t next = 0;        // state of the pipeline at its end
  std::vector<ProbeCost> probes;
};

/** An instruction with a probe: its address, and the instructions from it on. */
struct ProbePlace {
  uint32_t address = 0;
  uint32_t remainingInstructions = 0;
};

/** A straight run of instructions; filled in by TypeScript at first sight. */
struct Block {
  uint32_t start = 0;
  uint32_t end = 0;  // address of the instruction after the last one: where control falls through to
  uint32_t instructions = 0;
  uint32_t id = 0;  // index of TypeScript's own record
  uint32_t flags = 0;
  std::vector<ProbePlace> probes;
  std::vector<Cost> costs;    // by state of the pipeline at the start
  std::vector<uint8_t> code;  // bytes at first sight, when they lie in writable memory
};

enum BlockFlags : uint32_t { kVerify = 2, kMark = 4 };
enum StopReason : uint32_t { kLimit = 0, kSpecial = 1, kError = 2, kInterrupt = 3, kRequested = 4 };

/** Cycle and instruction counters at the passes of one address. */
struct Mark {
  uint32_t address = 0;
  bool callsBack = false;
  bool records = false;
  std::vector<double> log;  // cycles, instructions, cycles, instructions, ...
};

/** Work before one instruction: operand-dependent costs, stops, and marks that do not start a block. */
struct Probe {
  class Engine *engine = nullptr;
  uc_hook hook = 0;
  uint32_t address = 0;
  int32_t divide = -1;  // -1, or signed << 8 | Rn << 4 | Rm
  bool stops = false;
  Mark *mark = nullptr;
};

struct Region {
  uint32_t start = 0;
  uint64_t bytes = 0;
  uint8_t *host = nullptr;
  bool writable = false;
  Block **blocks = nullptr;  // by (address - start) / 2
};

struct Device {
  class Engine *engine = nullptr;
  uint32_t start = 0;
  Napi::FunctionReference read;
  Napi::FunctionReference write;
};

class Engine : public Napi::ObjectWrap<Engine> {
 public:
  static Napi::Object define(Napi::Env env, Napi::Object exports);
  explicit Engine(const Napi::CallbackInfo &info);
  ~Engine() override;

  void onBlock(uint32_t address, uint32_t size);
  void onProbe(Probe &probe);
  void onInterrupt(uint32_t number);
  void onInvalidAccess(uc_mem_type type, uint64_t address, int size);
  uint64_t onDeviceRead(Device &device, uint64_t offset, unsigned size);
  void onDeviceWrite(Device &device, uint64_t offset, unsigned size, uint64_t value);

 private:
  Napi::Value mapMemory(const Napi::CallbackInfo &info);
  Napi::Value mapDevice(const Napi::CallbackInfo &info);
  Napi::Value readRegister(const Napi::CallbackInfo &info);
  Napi::Value writeRegister(const Napi::CallbackInfo &info);
  Napi::Value run(const Napi::CallbackInfo &info);
  Napi::Value stop(const Napi::CallbackInfo &info);
  Napi::Value counters(const Napi::CallbackInfo &info);
  Napi::Value addCounters(const Napi::CallbackInfo &info);
  Napi::Value leaveBlock(const Napi::CallbackInfo &info);
  Napi::Value setMark(const Napi::CallbackInfo &info);
  Napi::Value takeMarkLog(const Napi::CallbackInfo &info);
  Napi::Value forgetBlocks(const Napi::CallbackInfo &info);
  Napi::Value forgetCode(const Napi::CallbackInfo &info);
  Napi::Value close(const Napi::CallbackInfo &info);

  void check(uc_err error, const char *what);
  void release();
  bool isClosed();
  Region *regionOf(uint32_t address);
  Block *blockAt(Region &region, uint32_t address, uint32_t size);
  Block *describe(Region &region, uint32_t address, uint32_t size);
  bool costOf(Block &block, uint32_t state);
  const Cost &pendingCost() const { return pending_->costs[pendingState_]; }
  void installProbes(const int32_t *words, size_t count, Block &block);
  void dropBlocks();
  void halt(StopReason reason, uint32_t code, uint32_t address);
  void passMark(Mark &mark, uint64_t cycles, uint64_t instructions);
  void keepException(Napi::Env env);
  uint32_t programCounter();

  uc_engine *uc_ = nullptr;
  Napi::FunctionReference describeBlock_;
  Napi::FunctionReference costOfBlock_;
  Napi::FunctionReference markCallback_;
  std::deque<Region> regions_;
  Region *lastRegion_ = nullptr;
  std::deque<Block> blocks_;
  std::deque<Device> devices_;
  std::unordered_map<uint32_t, std::unique_ptr<Probe>> probes_;
  std::unordered_map<uint32_t, std::unique_ptr<Mark>> marks_;

  Block idleBlock_;  // stands for "no predecessor": leaving it is free, and the pipeline has been refilled
  Block carried_;    // the pending block's copy when the tables are dropped
  Block *pending_ = nullptr;
  uint32_t pendingState_ = 0;  // of the pipeline when it was entered
  uint64_t cycles_ = 0;  // of every block entered, without the way out of the pending one
  uint64_t instructions_ = 0;
  uint64_t cycleLimit_ = 0;
  uint64_t instructionLimit_ = 0;

  bool running_ = false;
  bool restart_ = false;  // stopped only to translate a block again with its probes
  uint32_t restartStart_ = 0;
  uint32_t restartEnd_ = 0;
  bool halted_ = false;
  bool midBlock_ = false;      // the pending block has been entered and charged
  bool probeStopped_ = false;  // stopAddress_ is exact although a callback asked for the stop
  bool stoppedAtMark_ = false;  // a resumed run passes that mark once without counting it again
  bool resumedAtMark_ = false;
  uint32_t resumeAddress_ = 0;
  StopReason reason_ = kLimit;
  uint32_t stopCode_ = 0;
  uint32_t stopAddress_ = 0;
  uint32_t accessAddress_ = 0;
  uint32_t accessSize_ = 0;
  int32_t accessType_ = -1;
  Napi::Reference<Napi::Value> exception_;
};

/** Arguments of a method by position. */
inline uint32_t number(const Napi::CallbackInfo &info, size_t index) { return info[index].As<Napi::Number>().Uint32Value(); }
inline double real(const Napi::CallbackInfo &info, size_t index) { return info[index].As<Napi::Number>().DoubleValue(); }
inline bool flag(const Napi::CallbackInfo &info, size_t index) { return info[index].As<Napi::Boolean>().Value(); }

/** libunicorn's id of R0..R15, xPSR, FPSCR, S0..S31 ..., numbered as emulator/cpu/cpu.ts numbers them. */
int registerId(uint32_t number);

/** Cycles of UDIV/SDIV; emulator/timing/cortex-m4.ts divideCycles is the same rule and a test holds them equal. */
uint32_t divideCycles(uint32_t dividend, uint32_t divisor, bool isSigned);
