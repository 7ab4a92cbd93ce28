// A pseudo-terminal in raw mode (posix_openpt(3), termios(3)): the master for us, the slave's path for whoever opens a serial port. The
// slave is also kept open here, because without any the master would see a hang-up each time a client closes the port.
#include <napi.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <string>
#include <termios.h>
#include <unistd.h>

namespace {

Napi::Value fail(Napi::Env env, const char* call, int error) {
  Napi::Error::New(env, std::string(call) + ": " + std::strerror(error)).ThrowAsJavaScriptException();
  return env.Null();
}

// open(): { master, slave, path }, two file descriptors and /dev/pts/N. Throws the system's message.
Napi::Value Open(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (master < 0) return fail(env, "posix_openpt", errno);
  char path[64];
  if (grantpt(master) != 0 || unlockpt(master) != 0 || ptsname_r(master, path, sizeof path) != 0) {
    const int error = errno;
    close(master);
    return fail(env, "unlockpt", error);
  }
  const int slave = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
  struct termios settings;
  if (slave < 0 || tcgetattr(slave, &settings) != 0) {
    const int error = errno;
    if (slave >= 0) close(slave);
    close(master);
    return fail(env, path, error);
  }
  cfmakeraw(&settings);
  tcsetattr(slave, TCSANOW, &settings);
  Napi::Object result = Napi::Object::New(env);
  result.Set("master", master);
  result.Set("slave", slave);
  result.Set("path", path);
  return result;
}

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  exports.Set("open", Napi::Function::New(env, Open));
  return exports;
}

}  // namespace

NODE_API_MODULE(thumbelina_pty, Init)
