/**
 * Events of devices that start tasks of others without the core, as the nRF52's PPI connects them: an event and a task are known by the address
 * of their registers.
 */
export interface TaskOwner {
  readonly base: number;
  readonly bytes: number;
  /** As if the firmware had written 1 to the register. */
  trigger(offset: number): void;
}

export interface Routes {
  isRouted(event: number): boolean;
  raised(event: number): void;
}

export class EventRouter {
  private readonly owners: TaskOwner[] = [];
  private routes: Routes | null = null;

  add(owner: TaskOwner): void {
    this.owners.push(owner);
  }

  /** Of the one device that connects events and tasks. */
  connect(routes: Routes): void {
    this.routes = routes;
  }

  /** Whether anything happens when this event does. */
  isRouted(event: number): boolean {
    return this.routes?.isRouted(event) ?? false;
  }

  raised(event: number): void {
    this.routes?.raised(event);
  }

  /** Nothing happens where no task is. */
  trigger(task: number): void {
    const owner = this.owners.find(({ base, bytes }) => task >= base && task - base < bytes);
    owner?.trigger(task - owner.base);
  }
}
